// What an agent asks of a deployment while nothing happens: next to nothing, because each question wakes objects.

import { expect, test } from "vitest";

import { AgentLog } from "../../src/agent/log.ts";
import { AntiEntropy } from "../../src/agent/anti-entropy.ts";
import { deployedPace, hostedPace, type SyncPace } from "../../src/core/agent/sync-interval.ts";
import { seededRandom } from "../../src/core/lib/random.ts";
import { framesPerAgentMax } from "../../src/core/model/workload.ts";
import type { Cluster, ReadOptions, ReadReply } from "../../src/ports/cluster.ts";
import { newState } from "../core/agent/support.ts";
import { VirtualTime } from "../support/virtual-time.ts";

const dayMs = 24 * 3_600_000;
const days = 5;

/** Questions in a month of an agent among a thousand; those of one turn are one frame. */
async function framesPerMonth(pace: SyncPace): Promise<number> {
  const time = new VirtualTime();
  let frames = 0;
  let isCounted = false;
  const asked = (): void => {
    if (!isCounted) frames += 1;
    isCounted = true;
    queueMicrotask(() => (isCounted = false));
  };
  const state = newState();
  const { name: Node, id: ID, address: Address } = state.node;
  const node = { ...state.node, ID, Node, Address, TaggedAddresses: {}, Meta: {} };
  const bodies: Record<string, unknown> = {
    "catalog.node-services": { Node: node, Services: [] },
    "health.node": [],
  };
  const cluster = {
    status: () => Promise.resolve((asked(), { leader: "", peers: [], nodes: 1_000 })),
    write: () => Promise.resolve((asked(), true)),
    read: async (op: string, _args: object, options: ReadOptions): Promise<ReadReply> => {
      const body = JSON.stringify(bodies[op]);
      const reply = { index: 7, body, knownLeader: true, lastContactMs: 0 };
      asked();
      if (options.minIndex === undefined) return reply;
      await new Promise<void>((resolve) => {
        time.timers.set(resolve, options.waitMs ?? 0);
      });
      // The wait is taken back, and the question asked once more.
      asked();
      frames += 1;
      return reply;
    },
  } as unknown as Cluster;
  const sync = new AntiEntropy({
    ...{ state, cluster, log: new AgentLog(() => undefined), pace },
    ...{ random: seededRandom(1), timers: time.timers },
  });
  sync.start();
  await time.pass(days * dayMs);
  sync.stop();
  return (frames / days) * 30;
}

test("an idle agent of a deployment sends some frames a day, with servers of its own some every minute", async () => {
  const deployed = await framesPerMonth(deployedPace);
  const hosted = await framesPerMonth(hostedPace);
  console.log(`an idle agent: ${deployed} frames a month to a deployment, ${hosted} to its own`);
  expect(deployed).toBeLessThanOrEqual(framesPerAgentMax);
  expect(hosted).toBeGreaterThan(10_000);
});
