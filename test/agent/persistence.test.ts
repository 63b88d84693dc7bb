import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { AgentLog, plainLog } from "../../src/agent/log.ts";
import { Persistence } from "../../src/agent/persistence.ts";
import { decodeCheck, decodeService } from "../../src/core/agent/decode.ts";
import { applyFileDefinitions } from "../../src/core/agent/file-definitions.ts";
import type { LocalAgentState } from "../../src/core/agent/local-state.ts";
import { checkOf, newState, putCheck, putService } from "../core/agent/support.ts";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "proconsul-state-"));
});
afterEach(() => rmSync(directory, { recursive: true }));

interface Start {
  state: LocalAgentState;
  persistence: Persistence;
  lines: string[];
}

async function start(files: { services?: object[]; checks?: object[] } = {}): Promise<Start> {
  const state = newState();
  const lines: string[] = [];
  const log = new AgentLog((line) => lines.push(line));
  log.open({ ...plainLog, level: "trace", json: false, file: "" });
  const config = {
    dataDir: directory,
    services: (files.services ?? []).map((body) => decodeService(JSON.stringify(body))),
    checks: (files.checks ?? []).map((body) => decodeCheck(JSON.stringify(body))),
  };
  const persistence = new Persistence(config, state, log);
  await persistence.load();
  return { state, persistence, lines };
}

const now = (): { nowMs: number } => ({ nowMs: Date.now() });
const port = ({ state }: Start, id: string): number | undefined =>
  state.rows.services.get(id)?.service.Port;
const services = ({ state }: Start): string[] => [...state.rows.services.keys()].toSorted();
const checks = ({ state }: Start): string[] => [...state.rows.checks.keys()].toSorted();

describe("what the API registered", () => {
  test("is there again after a restart, with what its checks said", async () => {
    const first = await start();
    putService(first.state, { Name: "web", Check: { TTL: "1h" }, Token: "secret" }, now());
    putService(first.state, { Name: "api", Port: 1, Connect: { SidecarService: {} } }, now());
    putCheck(first.state, { Name: "own", ServiceID: "web", TTL: "1h" }, now());
    putCheck(first.state, { Name: "short", TTL: "1ms", Status: "passing" }, now());
    first.state.updateTtl("service:web", "passing", "fine", Date.now());
    first.state.serviceMaintenance("api", true, "later", Date.now());
    await first.persistence.stop();

    const second = await start();
    expect(services(second)).toEqual(["api", "api-sidecar-proxy", "web"]);
    expect(checks(second)).toEqual([
      "_service_maintenance:api",
      "own",
      "service:api-sidecar-proxy:1",
      "service:api-sidecar-proxy:2",
      "service:web",
      "short",
    ]);
    expect(checkOf(second.state, "service:web")).toEqual({ status: "passing", output: "fine" });
    expect(second.state.rows.services.get("web")?.token).toBe("secret");
    expect(second.state.rows.checks.get("_service_maintenance:api")?.check.Notes).toBe("later");
    await second.persistence.stop();
  });

  test("stays away once it was deregistered", async () => {
    const first = await start();
    putService(first.state, { Name: "web", Check: { TTL: "1h" } }, now());
    await first.persistence.flush();
    first.state.deregisterService("web", Date.now());
    await first.persistence.stop();
    const second = await start();
    expect([services(second), checks(second)]).toEqual([[], []]);
    await second.persistence.stop();
    const left = ["services", "checks", "checks/state"].flatMap((folder) =>
      readdirSync(join(directory, folder)).filter((name) => name.endsWith(".json")),
    );
    expect(left).toEqual([]);
  });

  test("keeps a sidecar at its port", async () => {
    const first = await start();
    for (const name of ["b", "a"]) {
      putService(first.state, { Name: name, Connect: { SidecarService: {} } }, now());
    }
    const before = port(first, "a-sidecar-proxy");
    first.state.deregisterService("b", Date.now());
    await first.persistence.stop();
    const second = await start();
    expect(port(second, "a-sidecar-proxy")).toBe(before);
    await second.persistence.stop();
  });

  test("gives way to what a configuration file defines, and is forgotten then", async () => {
    const first = await start();
    putService(first.state, { Name: "web", Port: 1 }, now());
    await first.persistence.stop();
    const second = await start({ services: [{ Name: "web", Port: 2 }] });
    expect(second.state.rows.services.get("web")?.service.Port).toBe(2);
    await second.persistence.stop();
    const third = await start();
    expect(services(third)).toEqual([]);
    await third.persistence.stop();
  });
});

describe("damage", () => {
  test("of a file is reported, moved aside, and keeps nothing else from coming back", async () => {
    const first = await start();
    for (const name of ["a", "b"]) putService(first.state, { Name: name }, now());
    await first.persistence.stop();
    const folder = join(directory, "services");
    const victim = readdirSync(folder).find((name) =>
      readFileSync(join(folder, name), "utf8").includes('"a"'),
    ) as string;
    writeFileSync(join(folder, victim), '{"kind":"serv');
    writeFileSync(join(folder, "strange.json"), '{"kind":"service","definition":{}}');
    const second = await start();
    expect(services(second)).toEqual(["b"]);
    expect(readdirSync(folder)).toContain(`${victim}.corrupt`);
    expect(second.lines.join("\n")).toContain("Corrupt file moved aside");
    expect(second.lines.join("\n")).toContain("Failed to restore");
    await second.persistence.stop();
  });
});

describe("definitions of files", () => {
  test("follow the files at a reload; what the API registered stays", async () => {
    const agent = await start({
      services: [
        { Name: "old", Check: { TTL: "1h" } },
        { Name: "both", Checks: [{ TTL: "1h" }] },
      ],
      checks: [{ Name: "gone", TTL: "1h" }],
    });
    putService(agent.state, { Name: "api" }, now());
    putCheck(agent.state, { Name: "extra", ServiceID: "both", TTL: "1h" }, now());
    const reloaded = {
      services: [decodeService('{"Name":"both"}'), decodeService('{"Name":"new"}')],
      checks: [],
    };
    applyFileDefinitions(agent.state, reloaded, Date.now());
    expect(services(agent)).toEqual(["api", "both", "new"]);
    expect(checks(agent)).toEqual(["extra"]);
    await agent.persistence.stop();
  });

  test("that need scripts stop the agent while scripts are disabled", async () => {
    const script = { Name: "x", Check: { Args: ["true"], Interval: "3s" } };
    await expect(start({ services: [script] })).rejects.toThrow(
      'Failed to register service "x": Scripts are disabled on this agent; to enable, configure',
    );
  });
});

describe("the disk", () => {
  const times = (): number[] =>
    ["services", "checks", "checks/state"].flatMap((folder) =>
      readdirSync(join(directory, folder), { withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map(({ name }) => statSync(join(directory, folder, name)).ino),
    );

  test("is not written when nothing changed, at a restart or by the same registration", async () => {
    const first = await start();
    const web = { Name: "web", Check: { TCP: "127.0.0.1:1", Interval: "1h" } };
    putService(first.state, web, now());
    putService(first.state, { Name: "ttl", Check: { TTL: "1h" } }, now());
    await first.persistence.flush();
    const files = times();
    expect(files).toHaveLength(4);
    putService(first.state, web, now());
    await first.persistence.stop();
    const second = await start();
    await second.persistence.flush();
    // A file that was written again would be a new one, renamed into place.
    expect(times()).toEqual(files);
    putService(second.state, { ...web, Port: 7 }, now());
    await second.persistence.flush();
    expect(times()).not.toEqual(files);
  });

  test("that takes no more makes the registration fail, and the next one that fits does not", async () => {
    const agent = await start();
    rmSync(join(directory, "services"), { recursive: true });
    putService(agent.state, { Name: "lost" }, now());
    await expect(agent.persistence.flush()).rejects.toThrow(/^failed to keep state: ENOENT/);
    expect(agent.lines.filter((line) => line.includes("Failed to keep state"))).toHaveLength(1);
    mkdirSync(join(directory, "services"));
    putService(agent.state, { Name: "kept" }, now());
    await agent.persistence.flush();
  });
});
