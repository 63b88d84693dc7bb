// `npm run deploy`.

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";

import type { RawConfig } from "./config-file.ts";
import { datacenterOf, DeploymentError } from "./deployment.ts";
import { deploy, type Given } from "./deploy.ts";
import { KeptFiles } from "./kept-files.ts";
import { processTerminal } from "./questions.ts";
import { Wrangler } from "./wrangler.ts";

const usage = `npm run deploy -- [options]

Deploys this repository to Cloudflare, or upgrades what was deployed from here. Asks for what is not given.

  --name NAME                       of the Worker
  --datacenter NAME=REGION,REGION,… one region for each of its servers (1, 3 or 5); may be given several times
  --domain HOST                     a host name of a zone of the account, instead of an address of workers.dev
  --yes                             do not ask before deploying
  --dry-run                         do everything but log in and upload
  --state DIR                       where decisions and secrets are kept (.proconsul)
`;

const root = fileURLToPath(new URL("../..", import.meta.url));

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      name: { type: "string" },
      datacenter: { type: "string", multiple: true },
      domain: { type: "string" },
      yes: { type: "boolean", default: false },
      "dry-run": { type: "boolean", default: false },
      state: { type: "string", default: join(root, ".proconsul") },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) return void process.stdout.write(usage);
  const { name, domain } = values;
  const given: Given = {
    ...(name !== undefined && { name }),
    ...(domain !== undefined && { domain }),
    datacenters: Object.fromEntries((values.datacenter ?? []).map(datacenterOf)),
    yes: values.yes,
    dryRun: values["dry-run"],
  };
  // It takes a while to load, and --help does not need it.
  const { experimental_readRawConfig: readRawConfig } = await import("wrangler");
  const { rawConfig } = readRawConfig({ config: join(root, "wrangler.toml") });
  await deploy(given, {
    terminal: processTerminal(),
    uploader: new Wrangler(root),
    kept: new KeptFiles(resolve(values.state)),
    base: rawConfig as RawConfig,
    root,
    dist: join(root, "dist"),
    version: packageVersion(),
    fetch,
    nowMs: Date.now,
    sleep: (ms) => new Promise((done) => setTimeout(done, ms)),
  });
}

function packageVersion(): string {
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
    version: string;
  };
  return version;
}

try {
  await main();
} catch (failure) {
  const isUsage = failure instanceof TypeError && "code" in failure;
  if (!(failure instanceof DeploymentError) && !isUsage) throw failure;
  process.stderr.write(`${failure.message}\n${isUsage ? `\n${usage}` : ""}`);
  process.exitCode = 1;
}
