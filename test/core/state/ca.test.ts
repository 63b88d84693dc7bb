import { expect, test } from "vitest";
import {
  findSigner,
  oldestRotationMs,
  type NewRoot,
} from "../../../src/core/state/tables/ca/authority.ts";
import { StateHarness } from "../../support/state-harness.ts";

const secret = "-----BEGIN EC PRIVATE KEY-----";

function rootOf(id: string, given = false): NewRoot {
  const root = {
    ID: id,
    Name: "Consul CA Root Cert",
    SerialNumber: "16016440285379407874",
    SigningKeyID: "aa:bb",
    ExternalTrustDomain: "c",
    NotBefore: "2026-01-01T00:00:00Z",
    NotAfter: "2036-01-01T00:00:00Z",
    RootCert: `cert ${id}`,
    IntermediateCerts: null,
    PrivateKeyType: "ec",
    PrivateKeyBits: 256,
  };
  return { root, privateKey: `${secret}${id}`, given };
}

const configuration = { provider: "consul", config: { LeafCertTTL: "72h" }, force: false };

function begun(): StateHarness {
  const harness = new StateHarness();
  harness.run({ type: "ca.initialize", clusterId: "c", configuration, first: rootOf("b") });
  return harness;
}

function rotate(harness: StateHarness, expected: string, next: NewRoot[]): unknown {
  return harness.run({ type: "ca.configure", expected, configuration, next });
}

test("without an authority everything says that Connect must be enabled", () => {
  const harness = new StateHarness();
  const text = "Connect must be enabled in order to use this endpoint";
  expect(() => harness.read("ca.roots", {})).toThrow(text);
  expect(() => harness.read("ca.configuration", {})).toThrow(text);
  expect(() => harness.run({ type: "ca.serial", count: 1 })).toThrow(text);
});

test("it begins once", () => {
  const harness = begun();
  const again = {
    type: "ca.initialize",
    clusterId: "d",
    configuration,
    first: rootOf("z"),
  } as const;
  expect(harness.run(again)).toBe(false);
  expect(harness.read("ca.roots", {})).toMatchObject({
    index: 1,
    value: { ActiveRootID: "b", TrustDomain: "c.consul" },
  });
});

test("serial numbers are given out one after the other, and move no index", () => {
  const harness = begun();
  expect(harness.run({ type: "ca.serial", count: 2 })).toBe(2);
  expect(harness.run({ type: "ca.issue", service: "web" })).toEqual({ serial: 4, index: 3 });
  expect(harness.index("ca.roots", {})).toBe(1);
});

test("a rotation keeps the roots before it, in order of their ids, and forgets their keys", () => {
  const harness = begun();
  rotate(harness, "b", [rootOf("c")]);
  rotate(harness, "c", [rootOf("a", true)]);
  const { value, index } = harness.read("ca.roots", {});
  expect(index).toBe(3);
  expect(value).toMatchObject({
    ActiveRootID: "a",
    Roots: [
      { ID: "a", Active: true, CreateIndex: 3, ModifyIndex: 3 },
      { ID: "b", Active: false, CreateIndex: 1, ModifyIndex: 3 },
      { ID: "c", Active: false, CreateIndex: 2, ModifyIndex: 3 },
    ],
  });
  expect(harness.machine.ask(findSigner)?.privateKey).toBe(`${secret}a`);
  const keys = harness.sql.exec("SELECT root_id FROM ca_key ORDER BY root_id");
  expect(keys).toEqual([{ root_id: "a" }]);
});

test("what was made for another root than the active one is refused", () => {
  const harness = begun();
  rotate(harness, "b", [rootOf("c")]);
  expect(() => rotate(harness, "b", [rootOf("d")])).toThrow(
    "configured by somebody else meanwhile",
  );
  expect(harness.index("ca.roots", {})).toBe(2);
});

test("a configuration alone moves the index of roots and wakes those who wait for them", () => {
  const harness = begun();
  const reads = [
    ["ca.roots", {}],
    ["ca.configuration", {}],
  ] as const;
  const put = { type: "ca.configure", expected: "b", configuration, next: [] } as const;
  expect(harness.wakers(reads, () => harness.apply({ ...put, next: [] }))).toEqual([true, true]);
  expect(harness.read("ca.roots", {})).toMatchObject({ index: 2, value: { ActiveRootID: "b" } });
});

test("roots go when their certificates are over, the active one never", () => {
  const harness = begun();
  rotate(harness, "b", [rootOf("c")]);
  const firstMs = harness.nowMs;
  harness.nowMs += 1_000;
  rotate(harness, "c", [rootOf("d")]);
  expect(harness.machine.ask(oldestRotationMs)).toBe(firstMs);
  expect(harness.run({ type: "ca.prune", untilMs: firstMs })).toBe(1);
  expect(harness.read("ca.roots", {})).toMatchObject({
    index: 4,
    value: { Roots: [{ ID: "c" }, { ID: "d" }] },
  });
  expect(harness.run({ type: "ca.prune", untilMs: harness.nowMs })).toBe(1);
  expect(harness.run({ type: "ca.prune", untilMs: harness.nowMs })).toBe(0);
  expect(harness.machine.ask(oldestRotationMs)).toBeNull();
});

test("no answer holds a private key: a given one is shown as a word", () => {
  const harness = begun();
  rotate(harness, "b", [rootOf("c", true)]);
  const bodies = (["ca.roots", "ca.configuration"] as const).map(
    (op) => harness.machine.read(op, {}, { nowMs: 0 }).body,
  );
  expect(bodies.join()).not.toContain(secret);
  expect(bodies[1]).toBe(
    '{"Provider":"consul","Config":{"LeafCertTTL":"72h","PrivateKey":"hidden"},"State":null,' +
      '"ForceWithoutCrossSigning":false,"CreateIndex":1,"ModifyIndex":2}',
  );
});
