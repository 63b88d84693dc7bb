// How the test suites of client libraries start Consul: a program named `consul` on the PATH, `agent -config-file F`,
// several at once, ended by signals. It is the built program, as it would be installed, not the sources.

import { randomUUID } from "node:crypto";
import { once } from "node:events";
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { connect } from "node:tls";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";

import { eventually } from "../support/eventually.ts";
import { agentPorts, freePort, isRefused } from "../support/free-ports.ts";
import { Proconsul, type StartOptions, stopAll, temporaryDirectory } from "../support/proconsul.ts";
import { isInstalled, type Result, run } from "../support/programs.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
/** Without its agent, workerd must be gone within this time. */
const orphanLimitMs = 3_000;

let env: NodeJS.ProcessEnv;

beforeAll(async () => {
  const built = await run(process.execPath, [join(root, ".ci/build.ts")]);
  expect(built.code, built.stderr).toBe(0);
  const bin = join(temporaryDirectory(), "bin");
  mkdirSync(bin);
  symlinkSync(join(root, "dist/proconsul.mjs"), join(bin, "consul"));
  env = { PATH: [bin, dirname(process.execPath), process.env.PATH].join(delimiter) };
});
afterAll(stopAll);

function consul(args: readonly string[]): Promise<Result> {
  return run("consul", args, { env });
}

function start(options: StartOptions): Promise<Proconsul> {
  return Proconsul.start({ command: ["consul"], env, ...options });
}

/** Ends by itself: what it printed and its exit code. */
async function failing(options: StartOptions): Promise<{ code: number | null; output: string }> {
  const agent = await Proconsul.spawn({ command: ["consul"], env, ...options });
  const { code } = await agent.exited;
  return { code, output: agent.output };
}

/** What the helper of Consul's Go client writes, https port and all. */
async function suiteConfig(name: string): Promise<Record<string, unknown>> {
  return {
    node_name: name,
    node_id: "",
    performance: { raft_multiplier: 1 },
    bootstrap: true,
    server: true,
    data_dir: join(temporaryDirectory(), "data"),
    disable_update_check: true,
    log_level: "debug",
    bind_addr: "127.0.0.1",
    skip_leave_on_interrupt: true,
    connect: { enabled: true, ca_config: { cluster_id: "11111111-2222-3333-4444-555555555555" } },
  };
}

function configFile(text: string): string {
  const file = join(temporaryDirectory(), "config.json");
  writeFileSync(file, text);
  return file;
}

test("`consul version` says which Consul this is", async () => {
  const { code, stdout } = await consul(["version"]);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^Consul v1\.8\.7\n/);
});

test("dist/ alone is enough for a server: no node_modules, another directory", async () => {
  const directory = temporaryDirectory();
  cpSync(join(root, "dist"), join(directory, "installed"), { recursive: true });
  const agent = await Proconsul.start({
    command: [process.execPath, join(directory, "installed/proconsul.mjs")],
    env: { NODE_PATH: "" },
    cwd: directory,
    args: [
      ...["-server", "-bootstrap-expect", "1", "-bind", "127.0.0.1", "-data-dir", "data"],
      ...["-runtime", "node"],
    ],
  });
  expect((await agent.put("/v1/kv/a", "1")).text).toBe("true");
  const page = await agent.get("/ui/");
  const [, script = ""] = /src="([^"]+)"/.exec(page.text) ?? [];
  expect((await agent.get(script)).headers.get("content-type")).toContain("text/javascript");
  await agent.stop();
  expect(agent.output).not.toContain("ExperimentalWarning");
  expect(existsSync(join(directory, "data/servers/do"))).toBe(true);
});

test("a command that needs no server loads none, and no SQLite", () => {
  const loaded = staticImports("main.mjs");
  expect(loaded.size).toBeGreaterThan(1);
  expect([...loaded]).not.toContain("node:sqlite");
  // What starts servers has it: the search finds what it looks for.
  expect([...staticImports("servers.mjs")]).toContain("node:sqlite");
});

/** What Node loads before the first line of a built file runs. */
function staticImports(file: string, found = new Set<string>()): Set<string> {
  const text = readFileSync(join(root, "dist", file), "utf8");
  for (const [, name = ""] of text.matchAll(/(?:from|import)"([^"]+)"/g)) {
    if (found.has(name)) continue;
    found.add(name);
    if (name.startsWith("./part-")) staticImports(name, found);
  }
  return found;
}

test("several at once: each its own datacenter, all gone after SIGTERM or SIGKILL", async () => {
  const names = ["one", "two", "three"];
  const agents = await Promise.all(
    names.map(async (name) => start({ config: await suiteConfig(name) })),
  );
  for (const [n, agent] of agents.entries()) {
    const nodes = (await agent.get("/v1/catalog/nodes")).json<{ Node: string }[]>();
    expect(nodes.map(({ Node }) => Node)).toEqual([names[n]]);
  }
  const [first, second, third] = agents as [Proconsul, Proconsul, Proconsul];
  await Promise.all([first.stop(), second.kill(), third.stop()]);
  for (const { ports } of agents) {
    await eventually(() => isRefused(ports.server), {
      what: "no workerd is left",
      limitMs: orphanLimitMs,
    });
    expect(await isRefused(ports.http)).toBe(true);
  }
});

test("a signal during the start is obeyed", async () => {
  for (const signal of ["SIGTERM", "SIGKILL"] as const) {
    const agent = await Proconsul.spawn({ command: ["consul"], env, args: ["-dev"] });
    await eventually(() => agent.output.includes("Starting Consul agent"), {
      what: "it says that it starts",
      intervalMs: 1,
    });
    agent.signal(signal);
    await agent.exited;
    await eventually(() => isRefused(agent.ports.server), {
      what: "no workerd is left",
      limitMs: orphanLimitMs,
    });
  }
});

test("what -dev keeps in the temporary directory is removed, at the latest by the next start", async () => {
  const left = (pid: number): string[] =>
    readdirSync(tmpdir()).filter((name) => name.startsWith(`proconsul-state-${pid}-`));
  const stopped = await start({ args: ["-dev", "-runtime", "workerd"] });
  expect(left(stopped.pid)).toHaveLength(1);
  await stopped.stop();
  expect(left(stopped.pid)).toEqual([]);
  const killed = await start({ args: ["-dev", "-runtime", "workerd"] });
  await killed.kill();
  const next = await start({ args: ["-dev", "-runtime", "workerd"] });
  expect(left(killed.pid)).toEqual([]);
  await next.stop();
});

test("when its servers die, the agent ends with 1", async () => {
  if (!isInstalled("pgrep")) return;
  const agent = await start({ args: ["-dev", "-runtime", "workerd"] });
  const { stdout } = await run("pgrep", ["-P", String(agent.pid)]);
  for (const pid of stdout.trim().split("\n")) process.kill(Number(pid), "SIGKILL");
  expect(await agent.exited).toEqual({ code: 1, signal: null });
  expect(agent.output).toContain("servers ended unexpectedly");
});

test.each([
  ["a key that does not exist", '{"prots": {}}', "invalid config key prots"],
  ["JSON that ends too early", '{"server": true,', "unexpected end of JSON input"],
  ["a value of the wrong type", '{"server": "x"}', "'server' expected type 'bool'"],
  ["no directory to keep things in", '{"bind_addr": "127.0.0.1"}', "data_dir cannot be empty"],
])("a wrong configuration is said and ends it with 1: %s", async (_what, text, message) => {
  const { code, stdout } = await consul(["agent", "-config-file", configFile(text)]);
  expect(code).toBe(1);
  expect(stdout).toContain(message);
});

test("a file that is not there, a flag that does not exist, a flag without its value", async () => {
  const missing = await consul(["agent", "-config-file", "/nonexistent.json"]);
  expect(missing.code).toBe(1);
  expect(missing.stdout).toMatch(/no such file or directory/);
  const unknown = await consul(["agent", "-nope"]);
  expect(unknown.code).toBe(1);
  expect(unknown.stderr).toMatch(/\nflag provided but not defined: -nope, did you mean -node\?\n$/);
  const bare = await consul(["agent", "-dev", "-http-port"]);
  expect(bare.code).toBe(1);
  expect(bare.stderr).toMatch(/\nflag needs an argument: -http-port\n$/);
});

test("-dev twice on the same ports: the second fails and says which, the first goes on", async () => {
  const first = await start({ args: ["-dev"] });
  const { code, output } = await failing({ args: ["-dev"], ports: first.ports });
  expect(code).toBe(1);
  expect(output).toContain(`127.0.0.1:${first.ports.server}: bind: address already in use`);
  expect((await first.get("/v1/status/leader")).status).toBe(200);
  for (const port of ["http", "dns", "serf_lan"] as const) {
    const others = { ...(await agentPorts()), [port]: first.ports[port] };
    const taken = await failing({ args: ["-dev"], ports: others });
    expect(taken.code).toBe(1);
    expect(taken.output).toContain(`127.0.0.1:${first.ports[port]}: bind: address already in use`);
    // Whatever had been started before the conflict was found is gone again.
    expect(await isRefused(others.server)).toBe(true);
  }
  await first.stop();
});

test("an https port without certificates listens and completes no handshake, as Consul's", async () => {
  const ports = { ...(await agentPorts()), https: await freePort() };
  const agent = await start({ config: await suiteConfig("https"), ports });
  expect(await isRefused(ports.https)).toBe(false);
  const handshake = connect({ port: ports.https, host: "127.0.0.1", rejectUnauthorized: false });
  const [failure] = (await once(handshake, "error")) as [Error];
  expect(failure.message).toMatch(/handshake failure|socket disconnected/);
  await agent.stop();
});

test.each([
  [{ verify_incoming: true }, "VerifyIncoming set but no CA certificates were provided"],
  [{ auto_encrypt: { allow_tls: true } }, "auto_encrypt.allow_tls"],
  [{ cert_file: "/etc/cert.pem" }, "cert_file is set without key_file"],
  [{ advertise_addr: "8.8.4.4" }, "-encrypt"],
])("%j would leave a door open, so it does not start", async (extra, named) => {
  const { code, output } = await failing({
    config: { ...(await suiteConfig("open")), ...extra },
  });
  expect(code).toBe(1);
  expect(output).toContain(named);
});

test("a default policy of deny refuses whoever shows no token", async () => {
  const acl = { enabled: true, default_policy: "deny", tokens: { master: randomUUID() } };
  const agent = await Proconsul.spawn({
    command: ["consul"],
    env,
    config: { ...(await suiteConfig("deny")), acl },
  });
  const status = async (token: string): Promise<number> =>
    (await agent.put(`/v1/kv/a?token=${token}`, "1").catch(() => null))?.status ?? 0;
  const options = { what: "the master token may write", limitMs: 15_000 };
  await eventually(async () => (await status(acl.tokens.master)) === 200, options);
  expect(await status("")).toBe(403);
  expect((await agent.get("/v1/kv/a")).status).toBe(403);
  await agent.stop();
});

test("one data directory, one agent: the second says whose it is", async () => {
  const config = await suiteConfig("first");
  const first = await start({ config });
  const { code, output } = await failing({ config: { ...config, node_name: "second" } });
  expect(code).toBe(1);
  expect(output).toContain(`is in use by another agent (process ${first.pid})`);
  await first.kill();
  const third = await start({ config });
  await third.stop();
});

test("a relative data directory, and one that cannot be made", async () => {
  const cwd = temporaryDirectory();
  const args = ["-server", "-bind", "127.0.0.1", "-bootstrap-expect", "1", "-data-dir", "./data"];
  const agent = await start({ args, cwd });
  await agent.put("/v1/kv/a", "1");
  await agent.stop();
  expect(existsSync(join(cwd, "data/servers/do"))).toBe(true);
  writeFileSync(join(cwd, "file"), "");
  const refused = await failing({ args: [...args.slice(0, -1), "./file/below"], cwd });
  expect(refused.code).toBe(1);
  expect(refused.output.trim().split("\n")).toHaveLength(1);
});

test("a disk that is full at the first start: one line, and the next start goes on", async () => {
  const dataDir = join(temporaryDirectory(), "data");
  const args = ["-server", "-bind", "127.0.0.1", "-bootstrap-expect", "1", "-data-dir", dataDir];
  // No file may get a single byte; what is printed goes to pipes.
  const limited = ["/bin/sh", "-c", 'trap "" XFSZ; ulimit -f 0; exec consul "$@"', "sh"];
  const { code, output } = await failing({ args, command: limited });
  expect(code).toBe(1);
  expect(output).toMatch(/^==> failed to setup node ID: EFBIG[^\n]*\n$/);
  const agent = await start({ args });
  await agent.stop();
});

test("-join and -retry-max end an agent that finds nobody", async () => {
  const args = ["-bind", "127.0.0.1", "-data-dir", temporaryDirectory()];
  const nobody = `127.0.0.1:${await freePort()}`;
  const joined = await failing({ args: [...args, "-join", nobody] });
  expect(joined.code).toBe(1);
  expect(joined.output).toContain(`failed to join: Failed to join ${nobody}: dial tcp`);
  const retried = await failing({
    args: [...args, "-retry-join", nobody, "-retry-max", "2", "-retry-interval", "50ms"],
  });
  expect(retried.code).toBe(1);
  expect(retried.output.match(/Join cluster failed, will retry/g)).toHaveLength(1);
  expect(retried.output).toContain("max join retry exhausted, exiting");
});

test("HTTP on an address and a socket at once", async () => {
  const path = join(temporaryDirectory(), "http.sock");
  const config = {
    ...(await suiteConfig("both")),
    addresses: { http: `127.0.0.1 unix://${path}` },
  };
  const agent = await start({ config });
  const answer = await run("curl", ["-s", "--unix-socket", path, "http://x/v1/status/leader"]);
  expect(answer.stdout).toBe(`"127.0.0.1:${agent.ports.server}"`);
  await agent.kill();
  // The socket of the one that was killed is in nobody's way.
  const next = await start({ config });
  await next.stop();
});
