// The majority of a group is lost for good, and an operator says who the group is from now on (`raft/peers.json`).

import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";

import { eventually } from "../support/eventually.ts";
import { agentPorts } from "../support/free-ports.ts";
import { Proconsul, type StartOptions, stopAll, temporaryDirectory } from "../support/proconsul.ts";

afterAll(stopAll);

const addresses = ["127.0.0.41", "127.0.0.42", "127.0.0.43"] as const;
const runtime = ["-runtime", "node"];

function voters(agent: Proconsul): Promise<string[]> {
  return agent.get("/v1/operator/raft/configuration?stale").then((answer) =>
    answer
      .json<{ Servers: { Node: string; Voter: boolean }[] }>()
      .Servers.filter(({ Voter }) => Voter)
      .map(({ Node }) => Node)
      .toSorted(),
  );
}

test("one server of three goes on alone with what it had, and the group grows again", async () => {
  const ports = await agentPorts();
  const dataDirs = addresses.map(() => join(temporaryDirectory(), "data"));
  const options = (n: number): StartOptions => ({
    ports,
    address: addresses[n] ?? "",
    config: { autopilot: { server_stabilization_time: "500ms" } },
    args: [
      ...["-server", "-bind", addresses[n] ?? "", "-client", addresses[n] ?? "", "-node", `r${n}`],
      ...["-data-dir", dataDirs[n] ?? "", "-retry-join", addresses[0], ...runtime],
      ...(n === 0 ? ["-bootstrap-expect", "3"] : []),
    ],
  });
  const agents = await Promise.all(addresses.map((_, n) => Proconsul.spawn(options(n))));
  const [first, second, third] = agents as [Proconsul, Proconsul, Proconsul];
  await Promise.all(agents.map((agent) => agent.led(20_000)));
  for (const [n, agent] of agents.entries()) {
    expect((await agent.put(`/v1/kv/before/${n}`, "x")).status).toBe(200);
  }
  await Promise.all([first.kill(), second.kill(), third.kill()]);

  const [dataDir = ""] = dataDirs;
  const file = join(dataDir, "raft", "peers.json");
  mkdirSync(join(dataDir, "raft"), { recursive: true });
  writeFileSync(file, "[]");
  const refused = await Proconsul.spawn(options(0));
  expect((await refused.exited).code).toBe(1);
  expect(refused.output).toContain("recovery failed to parse peers.json: Need at least one voter");
  expect(existsSync(file)).toBe(true);

  const id = readFileSync(join(dataDir, "node-id"), "utf8").trim();
  writeFileSync(file, JSON.stringify([{ id, address: `${addresses[0]}:${ports.server}` }]));
  const alone = await Proconsul.start(options(0));
  expect(alone.output).toContain("deleted peers.json file after successful recovery");
  expect(existsSync(file)).toBe(false);
  expect(await voters(alone)).toEqual(["r0"]);
  expect((await alone.get("/v1/kv/before/?keys")).json()).toHaveLength(3);
  expect((await alone.put("/v1/kv/after", "x")).text.trim()).toBe("true");

  // Of the others one has its old data, the other one has none.
  dataDirs[2] = join(temporaryDirectory(), "data");
  const back = await Promise.all([1, 2].map((n) => Proconsul.spawn(options(n))));
  await eventually(async () => (await voters(alone)).join() === "r0,r1,r2", {
    what: "all three vote again",
    limitMs: 30_000,
  });
  for (const agent of back) {
    await eventually(async () => (await agent.get("/v1/kv/after?stale&raw")).text === "x", {
      what: "it has what was written after the recovery",
      limitMs: 10_000,
    });
  }
});

test("a file that nobody would read keeps the agent from starting", async () => {
  const dataDir = temporaryDirectory();
  mkdirSync(join(dataDir, "raft"));
  writeFileSync(join(dataDir, "raft", "peers.json"), "[]");
  const base = ["-server", "-bind", "127.0.0.1", "-data-dir", dataDir];
  const several = await Proconsul.spawn({ args: [...base, "-servers", "3", ...runtime] });
  expect((await several.exited).code).toBe(1);
  expect(several.output).toContain("peers.json is for a server that is alone in its process");
  const worker = await Proconsul.spawn({ args: [...base, "-bootstrap", "-runtime", "workerd"] });
  expect((await worker.exited).code).toBe(1);
  expect(worker.output).toContain("peers.json is read with -runtime node only");
});
