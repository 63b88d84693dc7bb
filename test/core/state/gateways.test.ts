// Indexes of answers about gateways, who is woken by what, and who sees what.

import { expect, test } from "vitest";
import { decodeEntry } from "../../../src/core/model/config-entry/decode.ts";
import type { Command } from "../../../src/core/state/commands.ts";
import { StateHarness } from "../../support/state-harness.ts";

const set = (entry: object): Command => ({
  type: "config.set",
  ...decodeEntry(JSON.stringify(entry)),
});
const terminating = (...services: string[]) =>
  set({
    Kind: "terminating-gateway",
    Name: "tg",
    Services: services.map((Name) => ({ Name })),
  });
const ingress = (...services: string[]) =>
  set({
    Kind: "ingress-gateway",
    Name: "ig",
    Listeners: [{ Port: 80, Protocol: "http", Services: services.map((Name) => ({ Name })) }],
  });

function withServices(...services: object[]): StateHarness {
  const harness = new StateHarness();
  for (const Service of services) harness.register({ Node: "n", Address: "10.0.0.1", Service });
  return harness;
}

const names = (harness: StateHarness, gateway: string) =>
  (
    (harness.read("catalog.gateway-services", { gateway }).value ?? []) as {
      Service: { Name: string };
    }[]
  ).map(({ Service }) => Service.Name);

test("a wildcard follows services as they come and go, gateways and proxies left out", () => {
  const harness = withServices({ Service: "web" }, { Service: "consul" });
  harness.run(terminating("*"));
  expect(names(harness, "tg")).toEqual(["web"]);
  harness.register({ Node: "n", Address: "10.0.0.1", Service: { Service: "api" } });
  harness.register({
    Node: "n",
    Address: "10.0.0.1",
    Service: { Service: "mesh", Kind: "mesh-gateway", Port: 1 },
  });
  expect(names(harness, "TG")).toEqual(["api", "web"]);
  harness.register({ Node: "n", Address: "10.0.0.1", Service: { ID: "web", Service: "site" } });
  expect(names(harness, "tg")).toEqual(["api", "site"]);
  harness.deregister({ Node: "n" });
  expect(names(harness, "tg")).toEqual([]);
});

test("a transaction that fails leaves the gateways as they were", () => {
  const harness = withServices({ Service: "web" });
  harness.run(terminating("*"));
  const before = harness.read("catalog.gateway-services", { gateway: "tg" });
  const broken = {
    Node: "n",
    Address: "10.0.0.1",
    Service: { Service: "new" },
    Check: { Name: "c", ServiceID: "none" },
  };
  expect(harness.register(broken).outcome.ok).toBe(false);
  expect(harness.read("catalog.gateway-services", { gateway: "tg" })).toEqual(before);
});

test("saying the same again moves no row and no index", () => {
  const harness = withServices({ Service: "web" });
  harness.run(terminating("web"));
  const before = harness.read("catalog.gateway-services", { gateway: "tg" });
  harness.run(terminating("web"));
  harness.register({ Node: "n", Address: "10.0.0.1", Service: { Service: "web", Port: 9 } });
  expect(harness.read("catalog.gateway-services", { gateway: "tg" })).toEqual(before);
});

test("who waits hears of its gateway, its service, and what decides about protocols", () => {
  const harness = withServices({ Service: "web" }, { Service: "ig", Kind: "ingress-gateway" });
  harness.run(set({ Kind: "service-defaults", Name: "web", Protocol: "http" }));
  harness.run(ingress("*"));
  const reads = [
    ["catalog.gateway-services", { gateway: "ig" }],
    ["catalog.gateway-services", { gateway: "tg" }],
    ["health.ingress", { service: "web" }],
    ["health.ingress", { service: "api" }],
    ["health.connect", { service: "web" }],
    ["catalog.connect", { service: "api" }],
  ] as const;
  const register = (Service: object) => () =>
    harness.register({ Node: "n", Address: "10.0.0.1", Service });
  const woken = (change: () => ReturnType<StateHarness["apply"]>) =>
    harness.wakers(reads, change).map(Number).join("");
  expect(woken(register({ Service: "api" }))).toBe("100100");
  expect(woken(() => harness.apply(terminating("api")))).toBe("010001");
  expect(woken(register({ Service: "tg", Kind: "terminating-gateway", Port: 1 }))).toBe("000001");
  expect(woken(register({ Service: "ig", Kind: "ingress-gateway", Port: 2 }))).toBe("001100");
  const defaults = set({ Kind: "service-defaults", Name: "api", Protocol: "http" });
  expect(woken(() => harness.apply(defaults))).toBe("100000");
  expect(woken(() => harness.apply(ingress("web")))).toBe("101100");
  const remove = { type: "config.delete", kind: "terminating-gateway", name: "tg" } as const;
  expect(woken(() => harness.apply(remove))).toBe("010001");
  expect(woken(() => harness.set("k"))).toBe("000000");
});

test("a read of a service with gateways is as new as the gateways and what leads there", () => {
  const harness = withServices(
    { Service: "web" },
    { Service: "tg", Kind: "terminating-gateway", Port: 1 },
  );
  harness.run(terminating("web"));
  expect(harness.index("health.connect", { service: "web" })).toBe(3);
  expect(harness.index("catalog.connect", { service: "web" })).toBe(3);
  const check = { Name: "c", ServiceID: "tg", Status: "passing" };
  harness.register({ Node: "n", Address: "10.0.0.1", Check: check });
  expect(harness.index("health.connect", { service: "web" })).toBe(4);
  expect(harness.index("catalog.connect", { service: "web" })).toBe(4);
  expect(harness.index("health.ingress", { service: "web" })).toBe(1);
});
