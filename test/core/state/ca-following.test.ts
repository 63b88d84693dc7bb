// The certificate authority of a secondary datacenter as state: what it takes over from the primary.

import { beforeEach, expect, test } from "vitest";

import { findSigner } from "../../../src/core/state/tables/ca/authority.ts";
import type { CaRoot } from "../../../src/core/state/tables/ca/authority.ts";
import { primaryRoots } from "../../../src/core/state/tables/ca/following.ts";
import { encodeBase64 } from "../../../src/core/lib/base64.ts";
import { foreignArchive, recordsOf, savedBytes, stateOf } from "../../support/archives.ts";
import { StateHarness } from "../../support/state-harness.ts";

const configuration = { provider: "consul", config: { LeafCertTTL: "72h" }, force: false };

let harness: StateHarness;

beforeEach(() => {
  harness = new StateHarness();
  harness.run({ type: "ca.prepare", clusterId: "own", configuration });
});

function rootOf(id: string, IntermediateCerts: string[] | null = null): CaRoot {
  return {
    ID: id,
    Name: "Consul CA Root Cert",
    SerialNumber: "7",
    SigningKeyID: "aa:bb",
    ExternalTrustDomain: "primary",
    NotBefore: "2026-01-01T00:00:00Z",
    NotAfter: "2036-01-01T00:00:00Z",
    RootCert: `cert ${id}`,
    IntermediateCerts,
    PrivateKeyType: "ec",
    PrivateKeyBits: 256,
  };
}

function followed(id: string, replaced: { root: CaRoot; rotatedOutMs: number }[] = []) {
  const certificate = `intermediate ${id}`;
  return {
    type: "ca.follow" as const,
    roots: { clusterId: "primary", active: rootOf(id, [certificate]), replaced },
    intermediate: { privateKey: `key ${id}`, given: false, certificate, renewMs: 99 },
    configuration: [],
  };
}

function rows(table: string): unknown[] {
  return harness.sql.exec(`SELECT * FROM ${table} ORDER BY 1`);
}

test("it begins once, without a root, and with serial numbers of its own", () => {
  expect(harness.run({ type: "ca.prepare", clusterId: "other", configuration })).toBe(false);
  expect(harness.read("ca.roots", {}).value).toEqual({
    ...{ ActiveRootID: "", TrustDomain: "own.consul", Roots: [] },
  });
  expect(harness.machine.ask(findSigner)).toBeNull();
  harness.run(followed("a"));
  expect(harness.run({ type: "ca.issue", service: "web" })).toMatchObject({ serial: 1 });
});

test("it takes over root and trust domain at once, and whoever waits hears of it", () => {
  const reads = [
    ["ca.roots", {}],
    ["ca.configuration", {}],
  ] as const;
  expect(harness.wakers(reads, () => harness.apply(followed("a")))).toEqual([true, true]);
  expect(harness.read("ca.roots", {})).toMatchObject({
    index: 2,
    value: {
      ...{ ActiveRootID: "a", TrustDomain: "primary.consul" },
      Roots: [{ ID: "a", IntermediateCerts: ["intermediate a"], Active: true, CreateIndex: 2 }],
    },
  });
  expect(harness.read("ca.configuration", {}).value).toMatchObject({
    ...{ CreateIndex: 1, ModifyIndex: 2 },
  });
  expect(harness.machine.ask(findSigner)).toMatchObject({
    clusterId: "primary",
    intermediate: { certificate: "intermediate a", renew_ms: 99 },
    privateKey: "key a",
  });
});

test("another root makes the one before it a former one, and its key is forgotten", () => {
  harness.run(followed("a"));
  harness.nowMs += 1_000;
  harness.run(followed("b", [{ root: rootOf("a"), rotatedOutMs: 5 }]));
  expect(rows("ca_key")).toEqual([{ root_id: "b", given: 0, private_key: "key b" }]);
  expect(rows("ca_intermediate")).toEqual([
    { root_id: "b", renew_ms: 99, certificate: "intermediate b" },
  ]);
  expect(rows("ca_root")).toMatchObject([
    { id: "a", active: 0, rotated_out_ms: harness.nowMs, create_index: 2 },
    { id: "b", active: 1, rotated_out_ms: 0, create_index: 3 },
  ]);
  // What it signed goes on being shown with what it signed with.
  expect(harness.read("ca.roots", {}).value).toMatchObject({
    Roots: [{ ID: "a", IntermediateCerts: ["intermediate a"] }, { ID: "b" }],
  });
});

test("replaced roots that were not known here are taken with the time of their replacement", () => {
  const replaced = [1, 2].map((n) => ({ root: rootOf(`old${n}`), rotatedOutMs: n }));
  harness.run(followed("a", replaced));
  expect(harness.machine.ask(primaryRoots)).toEqual({
    clusterId: "primary",
    active: rootOf("a", ["intermediate a"]),
    replaced: replaced.toReversed(),
  });
  expect(harness.run({ type: "ca.prune", untilMs: 1 })).toBe(1);
});

test("a configuration comes with the key that it brings, or not at all", () => {
  harness.run(followed("a"));
  const wanted = { ...configuration, config: { LeafCertTTL: "24h" } };
  const given = followed("a");
  harness.run({
    ...given,
    intermediate: { ...given.intermediate, privateKey: "other", given: true },
    configuration: [wanted],
  });
  expect(harness.read("ca.configuration", {}).value).toMatchObject({
    Config: { LeafCertTTL: "24h", PrivateKey: "hidden" },
  });
  expect(rows("ca_key")).toEqual([{ root_id: "a", given: 1, private_key: "other" }]);
});

test("a root of its own ends what it followed", () => {
  harness.run(followed("a"));
  const next = [{ root: rootOf("own"), privateKey: "key", given: false }];
  harness.run({ type: "ca.configure", expected: "a", configuration, next });
  expect(harness.machine.ask(findSigner)).toMatchObject({ intermediate: null, privateKey: "key" });
  expect(rows("ca_intermediate")).toEqual([]);
});

test("more replaced roots than anybody needs are not told", () => {
  const replaced = Array.from({ length: 80 }, (_, n) => ({
    ...{ root: rootOf(`old${n}`), rotatedOutMs: n + 1 },
  }));
  harness.run(followed("a", replaced));
  const told = harness.machine.ask(primaryRoots)?.replaced.map(({ rotatedOutMs }) => rotatedOutMs);
  expect(told).toEqual(Array.from({ length: 50 }, (_, n) => 80 - n));
});

/** By type, but for indexes: those of a provider's state are its root's here. */
function caRecords(state: Uint8Array): Map<number, unknown> {
  const own = recordsOf(state).filter(({ type }) => [13, 14, 15].includes(type));
  return new Map(
    own.map(({ type, body }) => {
      const {
        CreateIndex: _create,
        ModifyIndex: _modify,
        ...rest
      } = body as Record<string, unknown>;
      return [type, rest];
    }),
  );
}

test("an archive of a secondary of Consul's is restored with what signs, and saved again as it was", () => {
  const given = stateOf(foreignArchive("secondary"));
  const data = encodeBase64(given);
  harness.run({ type: "snapshot.begin", restore: "r" });
  harness.run({ type: "snapshot.load", restore: "r", chunk: 0, data });
  harness.run({ type: "snapshot.switch", restore: "r" });
  const signer = harness.machine.ask(findSigner);
  expect(signer?.root.IntermediateCerts).toEqual([signer?.intermediate?.certificate]);
  expect(signer?.intermediate?.renew_ms).toBe(0);
  expect(signer?.privateKey).toContain("PRIVATE KEY");
  const archive = harness.machine.openArchive();
  const saved = savedBytes(archive);
  harness.machine.closeArchive(archive);
  expect(caRecords(given).size).toBe(3);
  expect(caRecords(saved)).toEqual(caRecords(given));
});
