// Answers compared with those recorded from Consul 1.8.7, step by step, at an agent's port and at its Worker's.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";

import { groups, hasKit, kitLimitMs, runKit } from "../support/kit.ts";
import { Proconsul, stopAll } from "../support/proconsul.ts";

afterAll(stopAll);

const master = "e95b599e-166e-7d80-08ad-aee76e7ddf19";
/** As the kit's reference runs when it has ACLs. */
const withAcls = {
  primary_datacenter: "dc1",
  acl: { enabled: true, default_policy: "deny", tokens: { master, agent: master } },
};

async function started(servers: number, ...more: string[]): Promise<Proconsul> {
  const args = ["-dev", "-servers", String(servers), ...more];
  const agent = await Proconsul.spawn({ edge: true, args });
  await agent.led(undefined, master);
  return agent;
}

describe.runIf(hasKit)("answers as Consul gives them", () => {
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
