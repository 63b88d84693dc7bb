// Which address an agent advertises.

import { expect, test } from "vitest";

import { loadAgentConfig } from "../../src/agent/config/load.ts";
import { serverSettings } from "../../src/agent/servers/settings.ts";
import { configLab, facts } from "../support/config-lab.ts";

const lab = configLab();
const { load } = lab;

test("a client advertises its private address and leaves when stopped", () => {
  const config = load("-data-dir", lab.directory);
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
  expect(load("-data-dir", lab.directory, "-server")).toMatchObject({
    leaveOnTerminate: false,
    skipLeaveOnInterrupt: true,
  });
});

test("two private addresses need a choice", () => {
  const two = [...facts.addresses, { ...facts.addresses[0]!, address: "192.168.1.1" }];
  const run = (): unknown =>
    loadAgentConfig(["-data-dir", lab.directory], { hostName: "h", addresses: two });
  expect(run).toThrow(
    "Multiple private IPv4 addresses found. Please configure one with 'bind' and/or 'advertise'.",
  );
});

test("who joins deployments alone need not choose", () => {
  const eth0 = { ...facts.addresses[0]!, address: "203.0.113.5", isDefault: true };
  const bridge = { ...eth0, interface: "docker0", address: "172.17.0.1", isDefault: false };
  const joining = (addresses: (typeof eth0)[], ...more: string[]): string => {
    const args = ["-data-dir", lab.directory, "-retry-join", "https://a.example", ...more];
    return loadAgentConfig(args, { hostName: "h", addresses }).advertiseAddress;
  };
  const lan = { ...eth0, address: "10.1.2.3" };
  expect(joining([bridge, eth0])).toBe("203.0.113.5");
  expect(joining([bridge, eth0, lan])).toBe("10.1.2.3");
  expect(joining([bridge, { ...lan, isDefault: false }])).toBe("172.17.0.1");
  expect(() => joining([], "-data-dir", lab.directory)).toThrow("No private IPv4 address found.");
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
  const config = load("-data-dir", lab.directory, "-server", "-bind", "::1");
  expect(config.advertiseAddress).toBe("::1");
  expect(serverSettings(config, "key").HOST.servers[0]?.address).toBe("[::1]:8300");
});
