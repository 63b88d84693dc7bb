// The command line at a running agent of ours: our own, and the real one of Consul where it is found (CONSUL_BIN, or
// `consul` in the path), must print what the real one printed at a real agent.

import { spawnSync } from "node:child_process";
import { describe, expect, test } from "vitest";

import { overSockets } from "../../src/cli/transport.ts";
import {
  comparable,
  type Outcome,
  placed,
  recordedAnswers,
  runHere,
  withFiles,
} from "../support/cli-lab.ts";
import type { Scenario, Step } from "../support/cli-step.ts";
import { scenarios } from "../support/cli-steps.ts";
import { mainFile, Proconsul } from "../support/proconsul.ts";

const recorded = recordedAnswers();
const managerToken = "e95b599e-166e-7d80-08ad-aee76e7ddf19";

const realConsul = process.env.CONSUL_BIN ?? "consul";
const hasRealConsul = spawnSync(realConsul, ["version"], { encoding: "utf8" }).stdout?.startsWith(
  "Consul v1.8",
);
if (!hasRealConsul) {
  console.warn(
    "LEFT OUT: the real command line at our agent, for there is no Consul 1.8 (CONSUL_BIN)",
  );
}

type Asker = (step: Step, environment: Record<string, string>) => Promise<Outcome>;

const ours: Asker = async (step, environment) =>
  await withFiles(
    step.files ?? {},
    async (directory) => await runHere(placed(step, directory), overSockets, environment),
  );

const real: Asker = async (step, env) =>
  await withFiles(step.files ?? {}, async (cwd) => {
    const input = step.stdin ?? "";
    const result = spawnSync(realConsul, step.args, { cwd, env, input, encoding: "utf8" });
    const { status, stdout, stderr } = result;
    return await Promise.resolve({ code: status ?? -1, stdout, stderr });
  });

const askers: [string, Asker][] = [
  ["our command line", ours],
  ...(hasRealConsul ? [["the real command line", real] as [string, Asker]] : []),
];

function configOf({ acl }: Scenario): Record<string, unknown> {
  if (!acl) return {};
  const tokens = { master: managerToken, agent: managerToken };
  return { acl: { enabled: true, default_policy: "deny", tokens } };
}

describe.each(askers)("%s", (_name, ask) => {
  test.each(scenarios)("$name", async (scenario) => {
    const agent = await Proconsul.spawn({
      args: ["-dev", "-node=the-node"],
      config: configOf(scenario),
    });
    await agent.led(undefined, managerToken);
    const environment = { CONSUL_HTTP_ADDR: agent.url, CONSUL_HTTP_TOKEN: managerToken };
    const differences: unknown[] = [];
    for (const [at, step] of scenario.steps.entries()) {
      const { args, ...expected } = recorded[scenario.name]?.[at] ?? {};
      expect(args).toEqual(step.args);
      const outcome = comparable(await ask(step, environment));
      if (JSON.stringify(outcome) !== JSON.stringify(expected)) {
        differences.push({ args: step.args, outcome, expected });
      }
    }
    await agent.stop();
    expect(differences).toEqual([]);
  });
});

test("as a process: streams, exit codes, stdin, and a pipe that is slow to read", async () => {
  const agent = await Proconsul.start({ args: ["-dev"] });
  const env = { ...process.env, CONSUL_HTTP_ADDR: agent.url };
  const run = (args: string[], input = "") =>
    spawnSync(process.execPath, [mainFile, ...args], { env, input, encoding: "utf8" });
  const value = "0123456789".repeat(50_000);
  expect(run(["kv", "put", "big", "-"], value)).toMatchObject({
    status: 0,
    stdout: "Success! Data written to: big\n",
    stderr: "",
  });
  expect(run(["kv", "get", "big"]).stdout).toBe(`${value}\n`);
  expect(run(["kv", "get", "none"])).toMatchObject({
    status: 1,
    stdout: "",
    stderr: "Error! No key exists at: none\n",
  });
  expect(run(["zap"]).status).toBe(127);
  expect(run(["leave"])).toMatchObject({ status: 0, stdout: "Graceful leave complete\n" });
  await agent.exited;
});
