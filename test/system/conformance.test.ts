// Answers compared with those recorded from Consul 1.8.7, step by step, by the kit that lies beside the checkout. What
// may fail is listed here by endpoint, because it is not built (docs/coverage.md); nothing else may.

import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { afterAll, describe, expect, test } from "vitest";

import { Proconsul, stopAll } from "../support/proconsul.ts";

const kit = resolve(import.meta.dirname, "../../../shared/conformance/run.mjs");
const golden = resolve(kit, "../golden");
const kitLimitMs = 170_000;
const groups =
  "status,operator,kv,session,txn,catalog,health,coordinate,query,connect,http,acl-disabled,dns,config,discovery-chain";

/** Steps that may differ, as the kit names them. */
const mayDiffer = [
  // Consul 1.8.7 answers these with a record of another type than was asked; later ones do not.
  /DNS (AAAA|SRV) c6336401\.addr\.consul/,
];

if (!existsSync(kit)) {
  console.warn("LEFT OUT: the conformance kit is not here, so no answer is compared with Consul's");
}

afterAll(stopAll);

interface KitRun {
  passed: number;
  /** `FAIL group/scenario#n METHOD path` of steps that may not fail. */
  failures: string[];
}

async function runKit(args: readonly string[]): Promise<KitRun> {
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
    .filter((line) => !mayDiffer.some((pattern) => pattern.test(line)));
  const [, passed = "0"] = /(\d+) passed, \d+ failed\s*$/.exec(output) ?? [];
  return { passed: Number(passed), failures };
}

async function started(servers: number): Promise<Proconsul> {
  const agent = await Proconsul.spawn({ edge: true, args: ["-dev", "-servers", String(servers)] });
  await agent.led();
  return agent;
}

describe.runIf(existsSync(kit))("answers as Consul gives them", () => {
  for (const servers of [1, 3]) {
    test(`at the agent's port, with ${servers} server(s)`, { timeout: kitLimitMs }, async () => {
      const agent = await started(servers);
      const dns = `127.0.0.1:${agent.ports.dns}`;
      const only = `${groups},agent`;
      const run = await runKit(["--subject", agent.url, "--dns", dns, "--only", only]);
      expect(run.failures).toEqual([]);
      expect(run.passed).toBeGreaterThan(600);
      await agent.stop();
    });
  }

  test("at the Worker's address, with DNS over HTTPS", { timeout: kitLimitMs }, async () => {
    const agent = await started(3);
    const doh = `${agent.workerUrl}/dns-query`;
    const run = await runKit(["--subject", agent.workerUrl, "--doh", doh, "--only", groups]);
    expect(run.failures).toEqual([]);
    expect(run.passed).toBeGreaterThan(500);
    await agent.stop();
  });
});
