// What `-join` and `-retry-join` do when nobody is there: Consul's exit codes, and one line for each attempt.

import { expect, test } from "vitest";

import { noTls } from "../support/agent-tls.ts";
import { loadAgentConfig } from "../../src/agent/config/load.ts";
import { findAddresses, type Names } from "../../src/agent/link/find.ts";
import { Joiner, type JoinParts } from "../../src/agent/link/join.ts";
import { joinUrl, withPort } from "../../src/agent/link/server-list.ts";

interface Told {
  lines: string[];
  exhausted: number;
  waits: (() => void)[];
  asked: string[];
}

function joiner(
  options: { startJoin?: string[]; retryJoin?: string[]; attemptsMax?: number },
  alive: (address: string) => boolean,
): { joiner: Joiner; told: Told } {
  const told: Told = { lines: [], exhausted: 0, waits: [], asked: [] };
  const line = (_name: string, text: string): void => void told.lines.push(text);
  const { startJoin = [], retryJoin = [], attemptsMax = 0 } = options;
  const parts: JoinParts = {
    pool: {
      ...{ name: "LAN", port: 8301, startJoin },
      retryJoin: { addresses: retryJoin, intervalMs: 30_000, attemptsMax },
    },
    config: {
      caFile: "",
      caPath: "",
      advertiseAddress: "10.0.0.1",
      bindAddress: "0.0.0.0",
      datacenter: "dc1",
      dns: { domain: "consul" },
      tls: noTls,
    },
    log: { info: line, warn: line, error: line },
    probe: async (address) => {
      told.asked.push(address);
      return alive(address) ? null : "dial tcp: connect: connection refused";
    },
    delay: (_delayMs, run) => {
      told.waits.push(run);
      return () => undefined;
    },
    find: async (given) => ({ addresses: [...given], failures: [] }),
    exhausted: () => void (told.exhausted += 1),
  };
  return { joiner: new Joiner(parts), told };
}

test("-join that reaches nobody keeps the agent from starting; one of several is enough", async () => {
  const none = joiner({ startJoin: ["10.0.0.2", "10.0.0.3:9"] }, () => false);
  await expect(none.joiner.start()).rejects.toThrow(
    "failed to join: Failed to join 10.0.0.2:8301: dial tcp: connect: connection refused; " +
      "Failed to join 10.0.0.3:9:",
  );
  const one = joiner({ startJoin: ["10.0.0.2", "10.0.0.3"] }, (address) => address.includes("3:"));
  await one.joiner.start();
  expect(one.told.lines.at(-1)).toBe("(LAN) joined");
});

test("-retry-join tries until it works, and says each time that it did not", async () => {
  let isThere = false;
  const { joiner: retrying, told } = joiner({ retryJoin: ["10.0.0.2"] }, () => isThere);
  await retrying.start();
  await expect.poll(() => told.waits.length).toBe(1);
  expect(told.lines).toEqual(["(LAN) joining", "Join cluster failed, will retry"]);
  isThere = true;
  told.waits[0]?.();
  await expect.poll(() => told.lines.at(-1)).toBe("(LAN) joined");
  expect([told.waits.length, told.exhausted]).toEqual([1, 0]);
});

test("-retry-max ends it", async () => {
  const { joiner: retrying, told } = joiner(
    { retryJoin: ["10.0.0.2"], attemptsMax: 2 },
    () => false,
  );
  await retrying.start();
  await expect.poll(() => told.waits.length).toBe(1);
  expect(told.exhausted).toBe(0);
  told.waits[0]?.();
  await expect.poll(() => told.exhausted).toBe(1);
  expect(told.lines.at(-1)).toBe("max join retry exhausted, exiting");
  expect(told.waits).toHaveLength(1);
});

test("an agent that finds itself in its own list has joined nobody by that", async () => {
  const { joiner: self, told } = joiner({ startJoin: ["10.0.0.1", "10.0.0.2"] }, () => false);
  await expect(self.start()).rejects.toThrow("10.0.0.2:8301");
  expect(told.asked).toEqual(["10.0.0.2:8301"]);
  await joiner({ startJoin: ["10.0.0.1:8301"] }, () => false).joiner.start();
});

test.each([
  ["10.0.0.1", "10.0.0.1:8301"],
  ["host:9", "host:9"],
  ["fd00::1", "[fd00::1]:8301"],
  ["[fd00::1]", "[fd00::1]:8301"],
  ["[fd00::1]:9", "[fd00::1]:9"],
  ["https://registry.example", "https://registry.example"],
])("%s is %s", (address, expected) => {
  expect(withPort(address, 8301)).toBe(expected);
  if (!expected.includes("/")) expect(joinUrl(address, 8301)).toBe(`ws://${expected}`);
});

const records: Record<string, string[]> = {
  "agents.example": ["10.0.0.2", "10.0.0.3", "fd00::2"],
  "one.example": ["10.0.0.4"],
};

function missing(): Error {
  return Object.assign(new Error("queryA ENOTFOUND"), { code: "ENOTFOUND" });
}

const names: Names = {
  async lookup(name) {
    const found = records[name];
    if (!found) throw missing();
    return found;
  },
  async srv(name) {
    if (name !== "_consul._tcp.example") throw missing();
    return [
      { name: "one.example", port: 8311 },
      { name: "gone.example", port: 8311 },
    ];
  },
};

test.each([
  [["10.0.0.9", "10.0.0.9:1", "fd00::9", "[fd00::9]:1"], "all"],
  [["agents.example"], "10.0.0.2 10.0.0.3 fd00::2"],
  [["agents.example:8311", "10.0.0.2:8311"], "10.0.0.2:8311 10.0.0.3:8311 [fd00::2]:8311"],
  [["https://consul.example.workers.dev"], "all"],
  [["_consul._tcp.example"], "10.0.0.4:8311"],
  [["exec=echo agents.example 10.0.0.8; echo exec=id"], "10.0.0.2 10.0.0.3 fd00::2 10.0.0.8"],
])("%s names %s", async (given, addresses) => {
  const found = await findAddresses(given, names);
  expect(found.addresses.join(" ")).toBe(addresses === "all" ? given.join(" ") : addresses);
});

test("what cannot be found out says why, and does not keep others from being tried", async () => {
  const given = ["nope.example", "exec=echo no >&2; exit 3", "_x._tcp.example", "10.0.0.7"];
  expect(await findAddresses(given, names)).toEqual({
    addresses: ["10.0.0.7"],
    failures: [
      "Failed to resolve nope.example: lookup nope.example: no such host",
      "Failed to discover exec=echo no >&2; exit 3: exit status 3: no",
      "Failed to resolve _x._tcp.example: lookup _x._tcp.example: no such host",
    ],
  });
  expect((await findAddresses(["exec=yes"], names)).addresses).toEqual([]);
});

test("providers of clouds are refused with the way around them", () => {
  const load =
    (address: string, flag = "-retry-join") =>
    () =>
      loadAgentConfig(["-dev", flag, address], { hostName: "h", addresses: [] });
  expect(load("provider=aws tag_key=a tag_value=b")).toThrow('Use "exec=COMMAND" with a command');
  expect(load("exec=true")).not.toThrow();
  for (const flag of ["-join", "-join-wan"]) {
    expect(load("provider=aws", flag), flag).toThrow("cloud providers are not built in");
    expect(load("exec=true", flag), flag).toThrow("commands belong into retry_join");
  }
});
