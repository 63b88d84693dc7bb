// Commands that go on until they are told to end: a log that is followed, a program for every change, a lock that one
// holds while another waits.

import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";

import { eventually } from "../support/eventually.ts";
import { agentPorts } from "../support/free-ports.ts";
import { mainFile, Proconsul, temporaryDirectory } from "../support/proconsul.ts";

let agent: Proconsul;

beforeAll(async () => {
  agent = await Proconsul.start({ args: ["-dev"] });
});

interface Running {
  process: ChildProcess;
  output(): string;
  /** Exit code. */
  ended: Promise<number | null>;
}

function start(...args: string[]): Running {
  const env = { ...process.env, CONSUL_HTTP_ADDR: agent.url };
  const child = spawn(process.execPath, [mainFile, ...args], {
    env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let text = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk: Buffer) => void (text += chunk.toString()));
  }
  const ended = once(child, "close").then(([code]) => code as number | null);
  return { process: child, output: () => text, ended };
}

async function prints(running: Running, text: string): Promise<void> {
  await eventually(() => running.output().includes(text), { what: `it prints ${text}` });
}

test("monitor prints lines as they are written, and ends well when interrupted", async () => {
  const monitor = start("monitor", "-log-level=debug");
  await eventually(
    async () => {
      await agent.put("/v1/agent/reload");
      return monitor.output().includes("Reloaded configuration");
    },
    { what: "a line of the log" },
  );
  monitor.process.kill("SIGINT");
  expect(await monitor.ended).toBe(0);
});

test("watch starts the program for every change, with the view at its stdin", async () => {
  await agent.put("/v1/kv/watched", "one");
  const watch = start("watch", "-type=key", "-key=watched", "cat; echo index $CONSUL_INDEX");
  await prints(watch, '"Value":"b25l"');
  await agent.put("/v1/kv/watched", "two");
  await prints(watch, '"Value":"dHdv"');
  expect(watch.output()).toMatch(/index \d+/);
  await agent.put("/v1/kv/elsewhere", "x");
  watch.process.kill("SIGTERM");
  expect(await watch.ended).toBe(0);
  expect(watch.output().match(/"Value"/g)).toHaveLength(2);
});

test.each([["lock"], ["semaphore"]])("a %s is had by one after the other", async (kind) => {
  const limit = kind === "lock" ? [] : ["-n=2"];
  const places = kind === "lock" ? 1 : 2;
  const holders = Array.from({ length: places }, () =>
    start("lock", ...limit, kind, "echo held; exec sleep 60"),
  );
  await Promise.all(holders.map((holder) => prints(holder, "held")));
  const late = start("lock", "-timeout=200ms", ...limit, kind, "echo never");
  expect(await late.ended).toBe(1);
  expect(late.output()).toBe("Shutdown triggered or timeout during lock acquisition\n");
  const next = start("lock", ...limit, kind, "echo mine");
  await eventually(
    async () => (await agent.get("/v1/session/list")).json<unknown[]>().length === places + 1,
    { what: "the next one waits" },
  );
  expect(next.output()).toBe("");
  holders[0]?.process.kill("SIGTERM");
  expect(await next.ended).toBe(0);
  expect(next.output()).toBe("mine\n");
  for (const holder of holders) holder.process.kill("SIGTERM");
  await Promise.all(holders.map(({ ended }) => ended));
  expect((await agent.get("/v1/session/list")).json()).toEqual([]);
  expect((await agent.get(`/v1/kv/${kind}?keys`)).status).toBe(404);
});

test("the program of a lost lock is told to end", async () => {
  const holder = start(
    "lock",
    "lost",
    "trap 'echo told; kill $!; exit 0' TERM; echo held; sleep 60 & wait",
  );
  await prints(holder, "held");
  const [pair] = (await agent.get("/v1/kv/lost/.lock")).json<{ Session: string }[]>();
  await agent.put(`/v1/session/destroy/${pair?.Session}`);
  await prints(holder, "told");
  expect(await holder.ended).toBe(0);
});

test("exec tells nodes of a job and prints what they write beside it", async () => {
  const exec = start("exec", "-verbose", "-wait=1s", "uptime");
  await prints(exec, "Fired remote execution event: ");
  const events = (await agent.get("/v1/event/list")).json<{ Name: string; Payload: string }[]>();
  const payload = events.find(({ Name }) => Name === "_rexec")?.Payload ?? "";
  const { Prefix, Session } = JSON.parse(Buffer.from(payload, "base64").toString()) as {
    Prefix: string;
    Session: string;
  };
  const job = `${Prefix}/${Session}`;
  expect((await agent.get(`/v1/kv/${job}/job?raw`)).json()).toEqual({
    Command: "uptime",
    Wait: 1_000_000_000,
  });
  const write = (name: string, value: string) =>
    agent.put(`/v1/kv/${job}/some/${name}?acquire=${Session}`, value);
  await write("ack", "");
  await write("out/00000", "");
  await write("out/00001", "one\ntwo\n");
  await write("exit", "3");
  expect(await exec.ended).toBe(2);
  expect(exec.output()).toContain(
    [
      "==> some: acknowledged",
      "==> some: heartbeat received",
      "    some: one",
      "    some: two",
      "    some:",
      "==> some: finished with exit code 3",
      "1 / 1 node(s) completed / acknowledged",
    ].join("\n"),
  );
  expect((await agent.get(`/v1/kv/${job}/?keys`)).status).toBe(404);
});

test("debug archives what it has when it is interrupted, for nobody else to read", async () => {
  const directory = temporaryDirectory();
  const output = join(directory, "facts");
  const debug = start("debug", "-interval=5s", "-duration=1m", `-output=${output}`);
  await prints(debug, "==> Beginning capture interval");
  await eventually(() => readdirSync(output).some((name) => /^\d+$/.test(name)), {
    what: "it captures what changes",
  });
  debug.process.kill("SIGINT");
  expect(await debug.ended).toBe(0);
  expect(debug.output()).toContain("[WARN] Unable to capture pprof.");
  expect(debug.output()).toContain("stopping collection due to shutdown signal");
  expect(debug.output()).toContain(`    Saved debug archive: ${output}.tar.gz\n`);
  expect(existsSync(output)).toBe(false);
  expect(statSync(`${output}.tar.gz`).mode & 0o777).toBe(0o600);
  execFileSync("tar", ["-xzf", `${output}.tar.gz`, "-C", directory]);
  const fact = (name: string): unknown =>
    JSON.parse(readFileSync(join(output, name), "utf8")) as unknown;
  expect(fact("agent.json")).toMatchObject({ Config: { Server: true } });
  expect(fact("cluster.json")).toHaveLength(1);
  expect(fact("host.json")).toHaveProperty("Memory");
  expect(fact("index.json")).toMatchObject({
    ...{ Version: 1, Interval: "5s", Duration: "1m0s" },
    Targets: ["metrics", "logs", "host", "agent", "cluster"],
  });
});

test.each([
  [["-duration=9s"], "duration must be longer than 10s"],
  [["-interval=4s"], "interval must be longer than 5s"],
  [["-capture=everything"], "target not found: everything"],
  [["-output=/"], "output directory already exists: /"],
  [["-output=/dev/null/x"], "could not create output directory: open /dev/null/x: not a directory"],
])("debug %j is refused", async (flags, why) => {
  const debug = start("debug", ...flags);
  expect(await debug.ended).toBe(1);
  expect(debug.output()).toContain(`==> Capture validation failed: ${why}\n`);
});

test("without a WAN port there is no WAN", async () => {
  const alone = await Proconsul.start({
    args: ["-dev"],
    ports: { ...(await agentPorts()), serf_wan: -1 },
  });
  expect((await alone.get("/v1/agent/members?wan=1")).text.trim()).toBe("null");
  const joined = await alone.put("/v1/agent/join/127.0.0.1:1?wan=1");
  expect(`${joined.status} ${joined.text}`).toBe("500 WAN Federation is disabled");
  const { Member } = (await alone.get("/v1/agent/self")).json<{ Member: { Tags: object } }>();
  expect(Member.Tags).not.toHaveProperty("wan_joinedport");
});
