// What an agent does with the certificates of its services: who shares one, when another is made, who hears of it.

import { beforeEach, expect, test } from "vitest";

import type { AuthorityQuestion } from "../../../durable/leader/authority/questions.ts";
import {
  type HeldLeaf,
  LeafCertificates,
  leafAfter,
  type LeafStore,
} from "../../../src/connect/leaf-certificates.ts";
import { exportKey, generateKey } from "../../../src/connect/keys.ts";
import { ServiceError } from "../../../src/core/model/errors.ts";
import type { IssuedCertificate } from "../../../src/ports/cluster.ts";
import { MemoryCluster } from "../../support/memory-cluster.ts";

const hourMs = 3_600_000;
const lifeMs = 72 * hourMs;

class Store implements LeafStore {
  readonly held = new Map<string, HeldLeaf>();
  get(key: string): HeldLeaf | undefined {
    return this.held.get(key);
  }
  put(key: string, leaf: HeldLeaf): void {
    this.held.set(key, leaf);
  }
}

let nowMs: number;
let random: number;
let cluster: MemoryCluster;
let store: Store;
let leaves: LeafCertificates;
let signed: number;
/** What the leader says instead of signing. */
let refusal: ServiceError | null;

beforeEach(async () => {
  nowMs = Date.UTC(2026, 10, 26);
  random = 0;
  signed = 0;
  refusal = null;
  store = new Store();
  cluster = new MemoryCluster({ connect: {}, nowMs: () => nowMs });
  await cluster.authority.initialize();
  leaves = new LeafCertificates({
    cluster: {
      read: (...args) => cluster.read(...args),
      signCertificate: async (csr, options): Promise<IssuedCertificate> => {
        signed++;
        if (refusal) throw refusal;
        return await cluster.signCertificate(csr, options);
      },
    },
    store,
    datacenter: "dc1",
    nowMs: () => nowMs,
    random: () => random,
  });
});

async function rotate(): Promise<void> {
  // The configuration with a key, and then without, asks for another root.
  const Config = { DisableCrossSigning: true };
  const configuration = { Provider: "consul", Config, ForceWithoutCrossSigning: true };
  await cluster.configureCa(configuration, {});
  const PrivateKey = await newKey();
  await cluster.configureCa({ ...configuration, Config: { PrivateKey } }, {});
}

async function newKey(): Promise<string> {
  return await exportKey(await generateKey("ec", 256));
}

test("many who ask at once share one certificate, and those after them find it", async () => {
  const asked = Array.from({ length: 5 }, async () => await leaves.current("web", {}));
  const replies = await Promise.all(asked);
  expect(signed).toBe(1);
  expect(new Set(replies.map(({ leaf }) => leaf.serialNumber))).toEqual(new Set(["02"]));
  nowMs += 7_500;
  expect(await leaves.current("web", {})).toMatchObject({ hit: true, ageSeconds: 7 });
  expect(signed).toBe(1);
});

test("services and tokens have certificates of their own, and no token is kept", async () => {
  await leaves.current("web", {});
  await leaves.current("db", {});
  await leaves.current("web", { token: "secret-token" });
  expect(signed).toBe(3);
  expect([...store.held.keys()].join()).not.toContain("secret-token");
});

const renewals: [random: number, part: number][] = [
  [0, 0.6],
  [0.5, 0.75],
  [1, 0.9],
];

test.each(renewals)("with %d it is renewed at %d of its life", async (given, part) => {
  random = given;
  const first = await leaves.current("web", {});
  const fromMs = Date.parse(first.leaf.validAfter);
  nowMs = Math.floor(fromMs + lifeMs * part) - 1;
  expect(await leaves.current("web", {})).toMatchObject({ hit: true, leaf: first.leaf });
  nowMs += 2;
  const second = await leaves.current("web", {});
  expect(second.hit).toBe(false);
  expect(second.leaf.index).toBeGreaterThan(first.leaf.index);
});

test("while nobody signs, the old one serves as long as it holds", async () => {
  const first = await leaves.current("web", {});
  refusal = new ServiceError("too-many-requests", "Rate limit reached, try again later");
  nowMs = Date.parse(first.leaf.validAfter) + 0.8 * lifeMs;
  expect((await leaves.current("web", {})).leaf).toEqual(first.leaf);
  expect((await leaves.current("web", {})).leaf).toEqual(first.leaf);
  expect(signed).toBe(2);
  nowMs = Date.parse(first.leaf.validBefore) + 1;
  await expect(leaves.current("web", {})).rejects.toThrow("Rate limit reached");
});

test("what is no longer permitted is not served on", async () => {
  const first = await leaves.current("web", {});
  refusal = new ServiceError("permission-denied", "Permission denied");
  nowMs = Date.parse(first.leaf.validAfter) + 0.8 * lifeMs;
  await expect(leaves.current("web", {})).rejects.toThrow("Permission denied");
});

test("a failure is told to all who share it, and forgotten", async () => {
  refusal = new ServiceError("no-leader", "No cluster leader");
  const asked = Array.from({ length: 3 }, async () => await leaves.current("web", {}));
  const outcomes = await Promise.allSettled(asked);
  expect(outcomes.map(({ status }) => status)).toEqual(["rejected", "rejected", "rejected"]);
  refusal = null;
  expect((await leaves.current("web", {})).leaf.serialNumber).toBe("02");
});

test("after a rotation another one is made, within half a minute", async () => {
  const first = await leaves.current("web", {});
  random = 0.5;
  await rotate();
  // The roots are followed: the news takes a turn to come.
  await expect.poll(async () => (await leaves.current("web", {})).renewMs).toBe(nowMs + 15_000);
  expect((await leaves.current("web", {})).leaf).toEqual(first.leaf);
  nowMs += 15_000;
  const second = await leaves.current("web", {});
  expect(second.leaf.serialNumber).not.toBe(first.leaf.serialNumber);
});

test("another key under the same root, in a secondary datacenter, is a rotation, too", async () => {
  const primary = {
    name: "dc1",
    ask: async (question: AuthorityQuestion) => await cluster.authority.answer(question),
  };
  const far = new MemoryCluster({ datacenter: "dc2", connect: {}, primary, nowMs: () => nowMs });
  await far.authority.follow();
  const parts = { store: new Store(), nowMs: () => nowMs, random: () => 0.5 };
  const theirs = new LeafCertificates({ cluster: far, datacenter: "dc2", ...parts });
  const { leaf: first } = await theirs.current("web", {});
  const PrivateKey = await newKey();
  const configuration = { Provider: "consul", Config: { PrivateKey } };
  await far.configureCa({ ...configuration, ForceWithoutCrossSigning: false }, {});
  await expect.poll(async () => (await theirs.current("web", {})).renewMs).toBe(nowMs + 15_000);
  nowMs += 15_000;
  const { leaf: second } = await theirs.current("web", {});
  expect(second.serialNumber).not.toBe(first.serialNumber);
  expect(second.certPem.split("-----BEGIN")[2]).not.toBe(first.certPem.split("-----BEGIN")[2]);
});

test("whoever waits with an index is answered when the roots rotate, and not before", async () => {
  const { leaf } = await leaves.current("web", {});
  let isAnswered = false;
  const waiting = leafAfter(
    { cluster, nowMs: () => nowMs, current: () => leaves.current("web", {}) },
    { minIndex: leaf.index, waitMs: 600_000 },
  ).finally(() => (isAnswered = true));
  await expect.poll(() => cluster.waiting).toBeGreaterThan(0);
  expect(isAnswered).toBe(false);
  await rotate();
  const answer = await waiting;
  expect(answer.leaf.index).toBeGreaterThan(leaf.index);
  expect(answer.hit).toBe(false);
});

test("a wait ends when its time is over, or when it is time to renew", async () => {
  const { leaf, renewMs } = await leaves.current("web", {});
  const waits: number[] = [];
  const read = (_op: unknown, _args: unknown, { waitMs = 0 }: { waitMs?: number }) => {
    waits.push(waitMs);
    nowMs += waitMs;
    return Promise.resolve({ index: 1, knownLeader: true, lastContactMs: 0, body: null });
  };
  const ask = async (waitMs: number) =>
    await leafAfter(
      {
        cluster: {
          read,
          signCertificate: () => Promise.reject(new Error("unasked")),
        },
        nowMs: () => nowMs,
        current: () => leaves.current("web", {}),
      },
      { minIndex: leaf.index, waitMs },
    );
  expect((await ask(1_000)).leaf).toEqual(leaf);
  expect(waits).toEqual([1_000]);
  nowMs = renewMs - 300;
  expect((await ask(1_000)).leaf.index).toBeGreaterThan(leaf.index);
  expect(waits.at(-1)).toBe(300);
});

test("names that are no names of services are refused in Consul's words", async () => {
  await expect(leaves.current("", {})).rejects.toThrow("URI must be either service or agent");
  await expect(leaves.current("a/b", {})).rejects.toThrow(
    "SPIFFE ID is not in the expected format",
  );
});
