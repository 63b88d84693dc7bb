// `npm run verify -- URL TOKEN`: whether a registry that is deployed does what it should, seen from here.

import { randomBytes } from "node:crypto";
import { parseArgs } from "node:util";

import { type Check, runChecks } from "./check.ts";
import { closed, servers } from "./closed.ts";
import { dnsOverHttps, mainJob } from "./main-job.ts";
import { cost, latency, sleep } from "./platform.ts";
import { Registry } from "./registry.ts";
import { failover, keys } from "./state.ts";

const usage = `npm run verify -- [options] URL TOKEN

Verifies a registry: TOKEN is one that may do everything (MANAGEMENT_TOKEN of npm run deploy), also as $PROCONSUL_TOKEN.
What it makes has names that begin with "verify-", and is removed. The leader of the first datacenter is reset once.

  --join-token TOKEN   with which agents of hosts join; without it one is minted
  --only NAME          checks whose name contains this
`;

const checks: readonly Check[] = [
  ...[closed, servers, mainJob, dnsOverHttps, keys, latency, failover, sleep, cost],
];

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      "join-token": { type: "string" },
      only: { type: "string", default: "" },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  const [url, token = process.env["PROCONSUL_TOKEN"]] = positionals;
  if (values.help || url === undefined || token === undefined || !/^https?:\/\//.test(url)) {
    (values.help ? process.stdout : process.stderr).write(usage);
    return values.help ? 0 : 2;
  }
  const verification = {
    registry: new Registry(url, token),
    prefix: `verify-${randomBytes(4).toString("hex")}`,
    joinToken: values["join-token"] ?? null,
  };
  const chosen = checks.filter(({ name }) => name.includes(values.only));
  const ok = await runChecks(chosen, verification, ({ name, ok: passed, detail }) => {
    process.stdout.write(`${passed ? "ok  " : "FAIL"} ${name}: ${detail}\n`);
  });
  process.stdout.write(ok ? "All is well.\n" : "Not all is well.\n");
  return ok ? 0 : 1;
}

process.exitCode = await main();
