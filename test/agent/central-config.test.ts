// Proxies and gateways of an agent follow the configuration entries of a cluster.

import { afterEach, expect, test } from "vitest";
import { hostedPace } from "../../src/core/agent/sync-interval.ts";
import { CentralConfig } from "../../src/agent/central-config.ts";
import { nodeTimers } from "../../src/agent/timers.ts";
import { LocalServices } from "../../src/core/agent/local-services.ts";
import { decodeEntry } from "../../src/core/model/config-entry/decode.ts";
import { MemoryCluster } from "../support/memory-cluster.ts";
import { eventually } from "../support/eventually.ts";
import { loadAgentConfig } from "../../src/agent/config/load.ts";
import { makeState } from "../../src/agent/settings.ts";

const running: CentralConfig[] = [];
afterEach(() => running.splice(0).forEach((each) => each.stop()));

function agent() {
  const facts = {
    hostName: "host1",
    addresses: [{ interface: "eth0", address: "10.1.2.3", family: "IPv4" as const }],
  };
  const cluster = new MemoryCluster();
  const state = makeState(loadAgentConfig(["-dev"], facts));
  const warnings: string[] = [];
  const log = { warn: (_part: string, line: string) => warnings.push(line) };
  const central = new CentralConfig({ state, cluster, timers: nodeTimers, log, pace: hostedPace });
  running.push(central);
  const services = new LocalServices(state, Date.now);
  const register = async (body: object): Promise<void> => {
    services.registerService(JSON.stringify(body), { replaceExistingChecks: false });
    await central.settled(5_000);
  };
  const write = async (entry: object): Promise<void> => {
    await cluster.write({ type: "config.set", ...decodeEntry(JSON.stringify(entry)) }, {});
  };
  const proxy = (id: string) => services.service(id)?.service.Proxy;
  return { cluster, central, register, write, proxy, services, warnings };
}

const until = async (what: string, ask: () => boolean): Promise<void> => {
  await eventually(ask, { what });
};

const sidecar = {
  Name: "web",
  Port: 80,
  Connect: {
    SidecarService: { Proxy: { Upstreams: [{ DestinationName: "api", LocalBindPort: 9 }] } },
  },
};

test("a sidecar is registered with what entries say, and follows them", async () => {
  const { register, write, proxy } = agent();
  await write({ Kind: "proxy-defaults", Config: { a: 1, protocol: "http" } });
  await register(sidecar);
  expect(proxy("web-sidecar-proxy")).toMatchObject({
    Config: { a: 1, protocol: "http" },
    Upstreams: [{ Config: { protocol: "http" } }],
  });
  await write({ Kind: "service-defaults", Name: "api", Protocol: "grpc" });
  await until("the upstream speaks grpc", () => {
    const [upstream] = proxy("web-sidecar-proxy")?.Upstreams ?? [];
    return upstream?.Config?.["protocol"] === "grpc";
  });
  await write({ Kind: "service-defaults", Name: "web", MeshGateway: { Mode: "local" } });
  await until(
    "the gateway is local",
    () => proxy("web-sidecar-proxy")?.MeshGateway.Mode === "local",
  );
  expect(proxy("web")?.Config).toBeNull();
});

test("what entries no longer say goes, and a registration that changes keeps what is known", async () => {
  const { cluster, register, write, proxy } = agent();
  await write({ Kind: "proxy-defaults", Config: { a: 1 } });
  const gateway = { Name: "gw", Kind: "mesh-gateway", Port: 1 };
  await register(gateway);
  expect(proxy("gw")?.Config).toEqual({ a: 1 });
  await register({ ...gateway, Port: 2, Proxy: { Config: { b: 2 } } });
  expect(proxy("gw")?.Config).toEqual({ a: 1, b: 2 });
  await cluster.write({ type: "config.delete", kind: "proxy-defaults", name: "global" }, {});
  await until("only its own is left", () => JSON.stringify(proxy("gw")?.Config) === '{"b":2}');
});

test("a service that goes is no longer followed, and one that follows nothing never is", async () => {
  const { cluster, register, services } = agent();
  await register({ Name: "plain", Port: 1 });
  expect(cluster.waiting).toBe(0);
  await register(sidecar);
  await until("one waits", () => cluster.waiting === 1);
  services.deregisterService("web");
  await until("nobody waits", () => cluster.waiting === 0);
});
