// What the leader does about the certificate authority by itself: begin it once, and forget roots in time.

import { beforeEach, expect, test } from "vitest";
import { CertificateAuthority } from "../../../durable/leader/authority/certificate-authority.ts";
import type { ConnectSettings } from "../../../durable/platform/settings.ts";
import { ServiceError } from "../../../src/core/model/errors.ts";
import { exportKey, generateKey } from "../../../src/connect/keys.ts";
import { nodeTimers } from "../../../src/agent/timers.ts";
import { StateHarness } from "../../support/state-harness.ts";

const hourMs = 3_600_000;

let harness: StateHarness;
let deadlineMs: number | undefined;
let prune: () => void | Promise<void>;
let leads: boolean;
let written: string[];

function authorityOf(connect: ConnectSettings | null): CertificateAuthority {
  return new CertificateAuthority({
    machine: harness.machine,
    timers: nodeTimers,
    datacenter: "dc1",
    connect,
    primary: null,
    secondaries: () => [],
    log: () => undefined,
    nowMs: () => harness.nowMs,
    leads: () => leads,
    settled: () => Promise.resolve(),
    clock: {
      handle: (_owner, handler) => (prune = () => handler(harness.nowMs)),
      set: (_owner, atMs) => (deadlineMs = atMs),
      deadline: () => deadlineMs,
    },
    requests: {
      writeHere: ({ write }) => {
        written.push(write.type);
        const { outcome } = harness.apply(write);
        if (!outcome.ok) throw new ServiceError(outcome.error.code, outcome.error.message);
        return Promise.resolve(outcome.value as never);
      },
    },
  });
}

beforeEach(() => {
  harness = new StateHarness();
  deadlineMs = undefined;
  leads = true;
  written = [];
});

function rootCount(): number {
  const { value } = harness.read("ca.roots", {});
  return (value as { Roots: unknown[] }).Roots.length;
}

test("it begins once, with what the settings say, and never where Connect is not enabled", async () => {
  await authorityOf(null).initialize();
  expect(written).toEqual([]);
  const settings = { clusterId: "c", config: { LeafCertTTL: "2h", PrivateKeyBits: 384 } };
  await authorityOf(settings).initialize();
  await authorityOf(settings).initialize();
  expect(written).toEqual(["ca.initialize"]);
  expect(harness.read("ca.roots", {}).value).toMatchObject({
    TrustDomain: "c.consul",
    Roots: [{ SerialNumber: 1, PrivateKeyType: "ec", PrivateKeyBits: 384 }],
  });
  expect(harness.read("ca.configuration", {}).value).toMatchObject({
    Config: { LeafCertTTL: "2h", IntermediateCertTTL: "8760h", PrivateKeyBits: 384 },
  });
});

test("a root that was replaced goes when the last certificate under it has ended twice over", async () => {
  const authority = authorityOf({ config: { LeafCertTTL: "2h" } });
  await authority.initialize();
  authority.arm();
  expect(deadlineMs).toBeUndefined();
  const PrivateKey = await exportKey(await generateKey("ec", 256));
  const Config = { LeafCertTTL: "2h", PrivateKey };
  const body = { Provider: "consul", Config, ForceWithoutCrossSigning: false };
  await authority.configure({ body });
  const rotatedMs = harness.nowMs;
  authority.arm();
  expect(deadlineMs).toBe(rotatedMs + 4 * hourMs);
  harness.nowMs = rotatedMs + 4 * hourMs - 1;
  await prune();
  expect(rootCount()).toBe(2);
  harness.nowMs += 1;
  leads = false;
  await prune();
  expect(rootCount()).toBe(2);
  leads = true;
  await prune();
  expect(rootCount()).toBe(1);
});
