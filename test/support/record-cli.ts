// Writes test/fixtures/cli/answers.json: what the real Consul's command line says to every step, each scenario at a new
// `consul agent -dev` of its own. By hand, where the binary is:
//   node test/support/record-cli.ts /usr/bin/consul [SCENARIO...]

import { spawn, spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";

import { comparable, type Outcome, withFiles } from "./cli-lab.ts";
import type { Scenario, Step } from "./cli-step.ts";
import { scenarios } from "./cli-steps.ts";
import { agentPorts } from "./free-ports.ts";

const answersFile = "test/fixtures/cli/answers.json";
const managerToken = "e95b599e-166e-7d80-08ad-aee76e7ddf19";
const [binary = "consul", ...wanted] = process.argv.slice(2);
type Answers = Record<string, (Outcome & { args: readonly string[] })[]>;

async function ask(step: Step, address: string): Promise<Outcome> {
  return await withFiles(step.files ?? {}, async (cwd) => {
    const env = { CONSUL_HTTP_ADDR: address, CONSUL_HTTP_TOKEN: managerToken };
    const { status, stdout, stderr } = spawnSync(binary, step.args, {
      cwd,
      env,
      input: step.stdin ?? "",
      encoding: "utf8",
      timeout: 20_000,
    });
    return await Promise.resolve({ code: status ?? -1, stdout, stderr });
  });
}

async function record({ acl, steps }: Scenario): Promise<Answers[string]> {
  const ports = await agentPorts();
  const tokens = `tokens { master = "${managerToken}" agent = "${managerToken}" }`;
  const rules = `acl { enabled = true default_policy = "deny" ${tokens} }`;
  const args = ["agent", "-dev", "-node=the-node", "-bind=127.0.0.1", "-client=127.0.0.1"].concat(
    ["-grpc-port=-1", `-http-port=${ports.http}`, `-dns-port=${ports.dns}`],
    [`-server-port=${ports.server}`, `-serf-lan-port=${ports.serf_lan}`, "-serf-wan-port=-1"],
    acl ? [`-hcl=${rules}`] : [],
  );
  const agent = spawn(binary, args, { stdio: "ignore" });
  const address = `127.0.0.1:${ports.http}`;
  try {
    const until = Date.now() + 20_000;
    for (;;) {
      if (Date.now() > until) throw new Error("the agent has no leader");
      const leader = await fetch(`http://${address}/v1/kv/ready?recurse`, {
        headers: { "X-Consul-Token": managerToken },
      }).catch(() => null);
      if (leader?.status === 404) break;
      await new Promise((resolve) => void setTimeout(resolve, 200));
    }
    const answers: Answers[string] = [];
    for (const step of steps) {
      answers.push({ args: step.args, ...comparable(await ask(step, address)) });
    }
    return answers;
  } finally {
    agent.kill("SIGKILL");
  }
}

const answers: Answers =
  wanted.length === 0 ? {} : (JSON.parse(readFileSync(answersFile, "utf8")) as Answers);
for (const scenario of scenarios) {
  if (wanted.length === 0 || wanted.includes(scenario.name)) {
    answers[scenario.name] = await record(scenario);
  }
}
writeFileSync(answersFile, `${JSON.stringify(answers, null, 2)}\n`);
