// The conformance kit, which lies beside the checkout: answers compared with those recorded from Consul 1.8.7, step by
// step.

import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { resolve } from "node:path";

const kit = resolve(import.meta.dirname, "../../../shared/conformance/run.mjs");
const golden = resolve(kit, "../golden");
export const kitLimitMs = 170_000;
/** Groups that need no agent. */
export const groups =
  "status,operator,event,kv,session,txn,catalog,health,coordinate,query,connect,http,acl-disabled,dns,config,discovery-chain,snapshot";

/** Steps that may differ, as the kit names them. */
const mayDiffer = [
  // Consul 1.8.7 answers these with a record of another type than was asked; later ones do not.
  /DNS (AAAA|SRV) c6336401\.addr\.consul/,
];

export const hasKit = existsSync(kit);
if (!hasKit) {
  console.warn("LEFT OUT: the conformance kit is not here, so no answer is compared with Consul's");
}

export interface KitRun {
  passed: number;
  /** `FAIL group/scenario#n METHOD path` of steps that may not fail. */
  failures: string[];
}

/** `may`: what else may differ in this run. */
export async function runKit(
  args: readonly string[],
  may: readonly RegExp[] = [],
): Promise<KitRun> {
  const child = spawn(
    process.execPath,
    [kit, "--golden", golden, "--settle", "150", "--topology", "cluster", "--quiet", ...args],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text;
  });
  await new Promise((done) => child.once("close", done));
  const failures = output
    .split("\n")
    .filter((line) => line.startsWith("FAIL "))
    .filter((line) => ![...mayDiffer, ...may].some((pattern) => pattern.test(line)));
  const [, passed = "0"] = /(\d+) passed, \d+ failed\s*$/.exec(output) ?? [];
  return { passed: Number(passed), failures };
}
