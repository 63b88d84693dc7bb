// Which address an agent advertises.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";

import { loadAgentConfig } from "../../src/agent/config/load.ts";
import type { ResolvedAgentConfig } from "../../src/agent/config/types.ts";
import { serverSettings } from "../../src/agent/servers/settings.ts";

const facts = {
  hostName: "host1",
  addresses: [{ interface: "eth0", address: "10.1.2.3", family: "IPv4" as const }],
};

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "proconsul-config-"));
});
afterEach(() => rmSync(directory, { recursive: true }));

const load = (...args: string[]): ResolvedAgentConfig => loadAgentConfig(args, facts);

test("a client advertises its private address and leaves when stopped", () => {
  const config = load("-data-dir", directory);
  expect(config).toMatchObject({
    advertiseAddress: "10.1.2.3",
    server: false,
    leaveOnTerminate: true,
    skipLeaveOnInterrupt: false,
    taggedAddresses: {
      lan: "10.1.2.3",
      lan_ipv4: "10.1.2.3",
      wan: "10.1.2.3",
      wan_ipv4: "10.1.2.3",
    },
  });
  expect(load("-data-dir", directory, "-server")).toMatchObject({
    leaveOnTerminate: false,
    skipLeaveOnInterrupt: true,
  });
});

test("two private addresses need a choice", () => {
  const two = [...facts.addresses, { ...facts.addresses[0]!, address: "192.168.1.1" }];
  const run = (): unknown =>
    loadAgentConfig(["-data-dir", directory], { hostName: "h", addresses: two });
  expect(run).toThrow(
    "Multiple private IPv4 addresses found. Please configure one with 'bind' and/or 'advertise'.",
  );
});

test("who joins deployments alone need not choose", () => {
  const eth0 = { ...facts.addresses[0]!, address: "203.0.113.5", isDefault: true };
  const bridge = { ...eth0, interface: "docker0", address: "172.17.0.1", isDefault: false };
  const joining = (addresses: (typeof eth0)[], ...more: string[]): string => {
    const args = ["-data-dir", directory, "-retry-join", "https://a.example", ...more];
    return loadAgentConfig(args, { hostName: "h", addresses }).advertiseAddress;
  };
  const lan = { ...eth0, address: "10.1.2.3" };
  expect(joining([bridge, eth0])).toBe("203.0.113.5");
  expect(joining([bridge, eth0, lan])).toBe("10.1.2.3");
  expect(joining([bridge, { ...lan, isDefault: false }])).toBe("172.17.0.1");
  expect(() => joining([], "-data-dir", directory)).toThrow("No private IPv4 address found.");
  expect(() => joining([bridge, lan], "-retry-join", "10.0.0.1")).toThrow("Multiple private");
});

test("templates name interfaces", () => {
  const config = load(
    "-dev",
    '-bind={{ GetInterfaceIP "eth0" }}',
    "-client={{ GetPrivateIP }} ::1",
  );
  expect(config).toMatchObject({
    bindAddress: "10.1.2.3",
    advertiseAddress: "10.1.2.3",
    clientAddresses: ["10.1.2.3", "::1"],
  });
  expect(() => load("-dev", "-bind", "{{ GetHost }}")).toThrow('function "GetHost" not defined');
});

test("servers at an address of IPv6 are named with brackets", () => {
  const config = load("-data-dir", directory, "-server", "-bind", "::1");
  expect(config.advertiseAddress).toBe("::1");
  expect(serverSettings(config, "key").HOST.servers[0]?.address).toBe("[::1]:8300");
});
