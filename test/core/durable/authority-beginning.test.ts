// What is asked of the certificate authority before it has begun waits for it, but not for ever.

import { beforeEach, expect, test } from "vitest";
import { AuthorityBeginning } from "../../../durable/server/authority-beginning.ts";
import { StateHarness } from "../../support/state-harness.ts";
import { VirtualTime } from "../../support/virtual-time.ts";

let time: VirtualTime;
let harness: StateHarness;

beforeEach(() => {
  time = new VirtualTime();
  harness = new StateHarness();
});

function beginningOf(enabled: boolean): AuthorityBeginning {
  return new AuthorityBeginning({ machine: harness.machine, timers: time.timers, enabled });
}

function initialize(): void {
  const root = {
    ID: "id",
    Name: "",
    SerialNumber: "1",
    SigningKeyID: "",
    ExternalTrustDomain: "",
    NotBefore: "",
    NotAfter: "",
    RootCert: "",
    IntermediateCerts: null,
    PrivateKeyType: "",
    PrivateKeyBits: 0,
  };
  harness.run({
    type: "ca.initialize",
    clusterId: "c",
    configuration: { provider: "consul", config: {}, force: false },
    first: { root, privateKey: "key", given: false },
  });
}

/** Whether it resolved within `durationMs`. */
async function after(durationMs: number, waiting: Promise<void>): Promise<boolean> {
  let isOver = false;
  void waiting.then(() => (isOver = true));
  await time.pass(durationMs);
  return isOver;
}

test("only reads of an authority that is to come are awaited", async () => {
  expect(beginningOf(false).isAwaited("ca.roots")).toBe(false);
  const beginning = beginningOf(true);
  expect(beginning.isAwaited("ca.roots")).toBe(true);
  expect(beginning.isAwaited("kv.get")).toBe(false);
  initialize();
  expect(beginning.isAwaited("ca.roots")).toBe(false);
  expect(await after(0, beginning.begun())).toBe(true);
});

test("whoever waits goes on soon after it has begun", async () => {
  const waiting = beginningOf(true).begun();
  expect(await after(500, waiting)).toBe(false);
  initialize();
  expect(await after(20, waiting)).toBe(true);
});

test("nobody waits for longer than two seconds", async () => {
  const waiting = beginningOf(true).begun();
  expect(await after(1_990, waiting)).toBe(false);
  expect(await after(20, waiting)).toBe(true);
});
