// Answers compared with those recorded from Consul 1.8.7, step by step, by the kit that lies beside the checkout. What
// may fail is listed here by endpoint, because it is not built (docs/coverage.md); nothing else may.

import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, describe, expect, test } from "vitest";

import { Proconsul, stopAll } from "../support/proconsul.ts";

const kit = resolve(import.meta.dirname, "../../../shared/conformance/run.mjs");
const golden = resolve(kit, "../golden");
const kitLimitMs = 170_000;
const groups =
  "status,operator,event,kv,session,txn,catalog,health,coordinate,query,connect,http,acl-disabled,dns,config,discovery-chain,snapshot";

/** Steps that may differ, as the kit names them. */
const mayDiffer = [
  // Consul 1.8.7 answers these with a record of another type than was asked; later ones do not.
  /DNS (AAAA|SRV) c6336401\.addr\.consul/,
];

if (!existsSync(kit)) {
  console.warn("LEFT OUT: the conformance kit is not here, so no answer is compared with Consul's");
}

afterAll(stopAll);

const master = "e95b599e-166e-7d80-08ad-aee76e7ddf19";
/** As the kit's reference runs when it has ACLs. */
const withAcls = {
  primary_datacenter: "dc1",
  acl: { enabled: true, default_policy: "deny", tokens: { master, agent: master } },
};

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

async function started(servers: number, ...more: string[]): Promise<Proconsul> {
  const args = ["-dev", "-servers", String(servers), ...more];
  const agent = await Proconsul.spawn({ edge: true, args });
  await agent.led(undefined, master);
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

  test.each([1, 3])(
    "at the agent's port, with ACLs and %i server(s)",
    { timeout: kitLimitMs },
    async (servers) => {
      const folder = mkdtempSync(join(tmpdir(), "proconsul-acl-"));
      const file = join(folder, "acl.json");
      writeFileSync(file, JSON.stringify(withAcls));
      const agent = await started(servers, "-config-file", file);
      const run = await runKit(["--subject", agent.url, "--mode", "acl", "--token", master]);
      expect(run.failures).toEqual([]);
      expect(run.passed).toBeGreaterThan(150);
      await agent.stop();
      rmSync(folder, { recursive: true });
    },
  );

  test("at the Worker's address, with DNS over HTTPS", { timeout: kitLimitMs }, async () => {
    const agent = await started(3);
    const doh = `${agent.workerUrl}/dns-query`;
    const run = await runKit(["--subject", agent.workerUrl, "--doh", doh, "--only", groups]);
    expect(run.failures).toEqual([]);
    expect(run.passed).toBeGreaterThan(500);
    await agent.stop();
  });
});
