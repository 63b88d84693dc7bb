// A socket that ended while nobody looked: it is noticed by whoever uses it next, and ends no process.

import { expect, test } from "vitest";

import { LocalClientSocket } from "../../../durable/platform/host/host-socket.ts";
import { GossipClient } from "../../../src/agent/link/gossip.ts";
import { UserEvents } from "../../../src/core/gossip/user-events.ts";
import { Liveness } from "../../../src/link/liveness.ts";
import { VirtualTime } from "../../support/virtual-time.ts";

function ended(): LocalClientSocket {
  const socket = new LocalClientSocket({ received: () => undefined, lost: () => undefined });
  socket.lost();
  return socket;
}

test("a ping that cannot be sent is the end", async () => {
  const time = new VirtualTime();
  let deaths = 0;
  const liveness = new Liveness({
    timers: time.timers,
    nowMs: time.nowMs,
    timing: { quietMs: 10, idlePingMs: 20, answerMs: 10 },
    owed: () => false,
    ping: () => ended().send("ping"),
    dead: () => (deaths += 1),
  });
  await time.pass(100);
  expect(deaths).toBe(1);
  liveness.doubt();
  expect(deaths).toBe(1);
});

test("who listens after the end is told all the same", async () => {
  const told = new Promise<void>((resolve) => ended().addEventListener("close", resolve));
  await expect(told).resolves.toBeUndefined();
});

test("an agent whose socket to a pool ended before it was used dials again", async () => {
  const time = new VirtualTime();
  let dialled = 0;
  const client = new GossipClient({
    member: { name: "n1", id: "1", address: "10.0.0.1" },
    timers: time.timers,
    nowMs: time.nowMs,
    random: () => 0,
    dial: () => {
      dialled += 1;
      return Promise.resolve(ended());
    },
    events: new UserEvents({ nodeName: "n1", services: () => [] }),
  });
  await client.start();
  await time.pass(60_000);
  expect(dialled).toBeGreaterThan(1);
  client.stop();
});
