// Deploys: asks for what is missing, says what will be and what it costs, uploads, waits, and begins what must be begun
// once. Doing it again is an upgrade.

import { relative } from "node:path";

import { bootstrap, firstKeys, untilLed, type Waiting } from "./begin.ts";
import { configText, type RawConfig } from "./config-file.ts";
import {
  type DatacenterPlan,
  datacenterName,
  defaultRegions,
  type Deployment,
  DeploymentError,
  domainName,
  regionNames,
  regionsOf,
  warningsOf,
  workerName,
} from "./deployment.ts";
import { estimate } from "./estimate.ts";
import { type KeptFiles, newSecret, type Secrets, workerSecrets } from "./kept-files.ts";
import { answer, confirm, type Terminal } from "./questions.ts";
import { newReleaseKey, publicReleaseKey, writeRelease } from "./release.ts";
import type { Uploader } from "./wrangler.ts";

/** Directory of the static files, beside the configuration. */
const assets = "public";

/** What was given on the command line. */
export interface Given {
  name?: string;
  domain?: string;
  datacenters: Record<string, DatacenterPlan>;
  yes: boolean;
  dryRun: boolean;
}

export interface Surroundings extends Waiting {
  terminal: Terminal;
  uploader: Uploader;
  kept: KeptFiles;
  /** Of wrangler.toml. */
  base: RawConfig;
  /** The repository. */
  root: string;
  /** What was built of it. */
  dist: string;
  version: string;
}

/** Throws DeploymentError for whatever the deployer can mend. */
export async function deploy(given: Given, around: Surroundings): Promise<void> {
  const { terminal, uploader, kept } = around;
  if (!given.dryRun) await logIn(around);
  const before = kept.deployment();
  const deployment = await decide(given, before, terminal);
  describe(deployment, before !== null, terminal);
  if (given.dryRun) {
    const releaseKey = kept.secrets().RELEASE_KEY ?? newReleaseKey();
    kept.write("wrangler.dry-run.json", configOf(deployment, releaseKey, around));
    const configPath = kept.path("wrangler.dry-run.json");
    const { gzipBytes } = await uploader.upload({ configPath, secretsPath: null, dryRun: true });
    const size = gzipBytes > 0 ? `, ${Math.ceil(gzipBytes / 1024)} kB compressed` : "";
    terminal.print(`Nothing was uploaded. All is ready${size}.`);
    return;
  }
  if (!given.yes && !(await confirm(terminal, "Deploy this?"))) {
    throw new DeploymentError("nothing was deployed");
  }
  const secrets = await completeSecrets(deployment, around);
  // Kept before they are set: whoever is interrupted here must not lose what the Worker has.
  kept.keepSecrets(secrets.all);
  kept.keepDeployment(deployment);
  kept.write("wrangler.json", configOf(deployment, secrets.releaseKey, around));
  const url = await upload(deployment, secrets.toSet, around);
  terminal.print(`Waiting for a leader at ${url}`);
  terminal.print(`The leader is ${await untilLed(url, around)}`);
  await begin(url, secrets.all, around);
}

async function logIn({ terminal, uploader }: Surroundings): Promise<void> {
  let account = await uploader.account();
  if (account === null) {
    if (!terminal.interactive) {
      throw new DeploymentError(
        "nobody is logged in at Cloudflare: set CLOUDFLARE_API_TOKEN, or run `npx wrangler login`",
      );
    }
    await uploader.login();
    account = await uploader.account();
  }
  if (account === null) throw new DeploymentError("nobody is logged in at Cloudflare");
  terminal.print(`Deploying as ${account}`);
}

async function decide(
  given: Given,
  before: Deployment | null,
  terminal: Terminal,
): Promise<Deployment> {
  const name =
    given.name ??
    before?.name ??
    (await answer(terminal, {
      ...{ question: "Name of the Worker", byDefault: "proconsul", flag: "--name NAME" },
      read: workerName,
    }));
  if (before && before.name !== name) {
    const mine = `this directory deploys ${before.name}; deploy ${name} from another clone`;
    throw new DeploymentError(`${mine}, or with --state DIR`);
  }
  const datacenters = { ...before?.datacenters, ...given.datacenters };
  for (const [dc, { regions }] of Object.entries(before?.datacenters ?? {})) {
    const now = datacenters[dc]?.regions ?? [];
    if (now.length < regions.length) {
      throw new DeploymentError(`${dc} has ${regions.length} servers, and cannot have fewer`);
    }
  }
  if (Object.keys(datacenters).length === 0)
    Object.assign(datacenters, await firstDatacenter(terminal));
  return {
    name: workerName(name),
    domain: domainName(given.domain ?? before?.domain ?? ""),
    datacenters,
  };
}

async function firstDatacenter(terminal: Terminal): Promise<Deployment["datacenters"]> {
  const flag = `--datacenter dc1=${defaultRegions.join(",")}`;
  const name = await answer(terminal, {
    ...{ question: "Name of the first datacenter", byDefault: "dc1", flag },
    read: datacenterName,
  });
  terminal.print("Regions:");
  for (const [region, words] of Object.entries(regionNames)) {
    terminal.print(`  ${region.padEnd(5)} ${words}`);
  }
  const regions = await answer(terminal, {
    ...{ question: "Where its servers live", byDefault: defaultRegions.join(","), flag },
    read: regionsOf,
  });
  return { [name]: { regions } };
}

function describe(deployment: Deployment, isUpgrade: boolean, terminal: Terminal): void {
  const { name, domain, datacenters } = deployment;
  const where = domain === "" ? "at an address of workers.dev" : `at https://${domain}`;
  terminal.print(`\n${isUpgrade ? "Upgrades" : "Creates"} the Worker ${name}, ${where}:`);
  for (const [dc, { regions }] of Object.entries(datacenters)) {
    const places = regions.map((region) => regionNames[region]).join(", ");
    terminal.print(`  datacenter ${dc}: ${regions.length} servers, in ${places}`);
  }
  for (const warning of warningsOf(deployment)) terminal.print(`  Note: ${warning}.`);
  terminal.print(
    "\nWhat a month costs at Cloudflare (with the plan's $5; without anything it includes):",
  );
  for (const { what, billed, gross } of estimate(deployment)) {
    terminal.print(`  $${billed.toFixed(2)} ($${gross.toFixed(2)})  ${what}`);
  }
  terminal.print("");
}

/** A secret that the Worker has and this directory does not know stays as it is. */
async function completeSecrets(
  { name }: Deployment,
  { uploader, kept, terminal }: Surroundings,
): Promise<{ all: Secrets; toSet: Secrets; releaseKey: string }> {
  const all = { ...kept.secrets() };
  // Hosts that were installed believe no other: who loses it installs them anew.
  const releaseKey = (all.RELEASE_KEY ??= newReleaseKey());
  const toSet: Secrets = {};
  const there = await uploader.secretNames(name);
  for (const secret of workerSecrets) {
    if (all[secret] === undefined && there.includes(secret)) {
      terminal.print(`${secret} is set already, and not known here: it stays`);
      continue;
    }
    all[secret] ??= newSecret();
    if (!there.includes(secret)) toSet[secret] = all[secret];
  }
  return { all, toSet, releaseKey };
}

async function upload(
  deployment: Deployment,
  secrets: Secrets,
  { kept, uploader }: Surroundings,
): Promise<string> {
  const isNew = Object.keys(secrets).length > 0;
  // Together with the code, so that it is never there without them.
  if (isNew) kept.write("to-set.json", JSON.stringify(secrets));
  try {
    const { urls } = await uploader.upload({
      configPath: kept.path("wrangler.json"),
      secretsPath: isNew ? kept.path("to-set.json") : null,
      dryRun: false,
    });
    const own = deployment.domain === "" ? urls[0] : `https://${deployment.domain}`;
    if (own === undefined) throw new DeploymentError("wrangler does not say where the Worker is");
    return own;
  } finally {
    if (isNew) kept.remove("to-set.json");
  }
}

/** Bootstraps, unless that is done, and says how to go on. */
async function begin(url: string, known: Secrets, around: Surroundings): Promise<void> {
  const { terminal, kept } = around;
  const secrets = { ...known };
  const keep = (more: Secrets): void => kept.keepSecrets(Object.assign(secrets, more));
  const { DEPLOY_SECRET: deploySecret } = secrets;
  if (secrets.MANAGEMENT_TOKEN === undefined && deploySecret !== undefined) {
    const token = await bootstrap({ url, deploySecret }, around);
    if (token !== null) {
      keep({ MANAGEMENT_TOKEN: token });
      terminal.print("Made the first token, which may do everything (MANAGEMENT_TOKEN)");
    }
  }
  const { MANAGEMENT_TOKEN: management } = secrets;
  if (secrets.JOIN_TOKEN === undefined && management !== undefined) {
    const { joinToken, dnsPath } = await firstKeys(url, management, around);
    keep({ JOIN_TOKEN: joinToken, DNS_PATH: dnsPath });
    terminal.print("Made a token by which hosts join (JOIN_TOKEN), and a key for DNS (DNS_PATH)");
  }
  const file = relative(around.root, kept.path("secrets.json"));
  terminal.print(`\nRegistry          ${url}`);
  terminal.print(`DNS over HTTPS    ${url} and DNS_PATH`);
  terminal.print(`A host joins by   curl -fsS ${url}/install.sh | PROCONSUL_TOKEN=JOIN_TOKEN sh`);
  terminal.print(`Secrets           ${file}: keep a copy`);
}

/** Writes the static files, too. */
function configOf(deployment: Deployment, releaseKey: string, around: Surroundings): string {
  const { base, root, kept, dist, version, terminal } = around;
  const { bytes } = writeRelease({ dist, directory: kept.path(assets), version, releaseKey });
  terminal.print(`Hands out the agent of version ${version}, ${Math.ceil(bytes / 1024)} kB`);
  return configText({
    ...{ base, deployment, assets },
    pathTo: relative(kept.directory, root) || ".",
    installKey: publicReleaseKey(releaseKey),
  });
}
