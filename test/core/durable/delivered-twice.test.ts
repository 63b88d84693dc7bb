// A platform may deliver a call twice, and fire an alarm twice. Here it does so always, between all objects of a
// datacenter, the second time at once or later: nothing happens twice.

import { afterEach, expect, test } from "vitest";

import type { HostedObject } from "../../../durable/platform/platform.ts";
import { lanPoolObject } from "../../../durable/platform/topology.ts";
import { type Delivery, ObjectDatacenter, workerPath } from "../../support/object-datacenter.ts";

let dc: ObjectDatacenter;
/** How much later the second delivery is, in ms; 0: at once. */
let laterMs: number;
let deliveries: number;

afterEach(() => dc.host.stop());

/** What a Worker asks reaches its object once: nobody sends it again. */
const twice: Delivery = async (deliver, path) => {
  if (path === workerPath) return await deliver();
  deliveries += 2;
  const again = (): Promise<unknown> => deliver().catch(() => undefined);
  if (laterMs === 0) void again();
  else dc.time.timers.set(() => void again(), laterMs);
  return await deliver();
};

/** An object whose alarm is fired twice, and a third time after that. */
function wokenTwice(object: HostedObject): HostedObject {
  const alarm = object.alarm.bind(object);
  object.alarm = async () => {
    await Promise.all([alarm(), alarm()]);
    await alarm();
  };
  return object;
}

/** Of the leader's log. */
async function logLength(): Promise<number> {
  const reply = await dc.ask(0, { status: true });
  const { raft } = (reply as unknown as { value: { raft: { lastLogIndex: number } } }).value;
  return raft.lastLogIndex;
}

test.each([0, 30, 2_000])(
  "calls and alarms that come twice change nothing the second time, %i ms later",
  async (ms) => {
    [laterMs, deliveries] = [0, 0];
    dc = new ObjectDatacenter({
      datacenter: { servers: 3 },
      delivery: twice,
      wrap: wokenTwice,
    });
    await dc.lead();
    laterMs = ms;
    const session = { ID: crypto.randomUUID(), Node: "server-0", Name: "s", LockDelay: 0 };
    const behavior = { Behavior: "release", TTL: "1h", NodeChecks: [], ServiceChecks: [] };
    await dc.write(1, { type: "session.create", session: { ...session, ...behavior } });
    await dc.time.pass(3_000);
    const entries = await logLength();
    for (const n of [0, 1, 2]) {
      const lock = { type: "kv.lock", key: "lock", value: "", flags: "0", session: session.ID };
      await dc.write(n, lock);
      await dc.write(n, { type: "kv.set", key: `at-${n}`, value: "", flags: "0" });
    }
    await dc.time.pass(3_000);
    expect((await logLength()) - entries).toBe(6);
    const member = encodeURIComponent(
      JSON.stringify({ name: "host", id: crypto.randomUUID(), address: "10.0.0.1" }),
    );
    (await dc.host.connect(lanPoolObject("dc1"), `/gossip?member=${member}`)).accept?.();
    await dc.time.pass(3_000);
    type Entry = { CreateIndex: number; ModifyIndex: number; LockIndex: number };
    for (const n of [0, 1, 2]) {
      const [entry] = await dc.read<Entry[]>("kv.get", { key: `at-${n}` });
      expect(entry?.ModifyIndex, `at-${n}`).toBe(entry?.CreateIndex);
    }
    const checks = await dc.read<{ Status: string; CreateIndex: number; ModifyIndex: number }[]>(
      "health.node",
      { node: "host" },
    );
    expect(checks).toMatchObject([{ Status: "passing" }]);
    expect(checks[0]?.ModifyIndex).toBe(checks[0]?.CreateIndex);
    expect(dc.warnings).toEqual([]);
    console.log(`delivered twice, ${ms} ms later: ${deliveries} calls between objects`);
  },
);
