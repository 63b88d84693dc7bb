// Calls to many objects: never more at a time than the platform lets a request have.

import { expect, test } from "vitest";

import { AgentShards } from "../../../durable/edge/agent-shards.ts";
import type { ClusterAccess } from "../../../durable/datacenters/server-calls.ts";
import { StubDeploymentObjects } from "../../../durable/edge/deployment-objects.ts";
import { fewAtOnce } from "../../../durable/platform/few-at-once.ts";
import type { Answer, Objects } from "../../../durable/platform/platform.ts";
import { PoolPeers } from "../../../durable/presence/pool-peers.ts";
import { limits } from "../../../src/core/model/limits.ts";
import { settled } from "../../support/virtual-time.ts";

/** Objects that answer one turn later, and how many of them were asked at a time. */
class SlowObjects {
  most = 0;
  asked = 0;
  #open = 0;

  call = async (_to: unknown, path: string, body: string): Promise<Answer> => {
    this.asked += 1;
    this.#open += 1;
    this.most = Math.max(this.most, this.#open);
    await settled();
    this.#open -= 1;
    const answers: Record<string, unknown> = {
      "/usage": { startedMs: 0, months: [] },
      "/call": { value: body.includes("hasCheck") ? false : [] },
    };
    return { status: 200, body: JSON.stringify(answers[path] ?? []) };
  };
}

const settings = { DEFAULT_DC: "dc1", DATACENTERS: { dc1: { servers: 3, agents: 64, pools: 64 } } };

test("results are in the order of the items, and the first failure ends it", async () => {
  const begun: number[] = [];
  const items = Array.from({ length: 20 }, (_, n) => n);
  const work = async (n: number): Promise<number> => {
    begun.push(n);
    for (let turn = n % 5; turn > 0; turn--) await settled();
    if (n === 7) throw new Error("the seventh");
    return n * n;
  };
  expect(await fewAtOnce(items.slice(0, 7), work)).toEqual([0, 1, 4, 9, 16, 25, 36]);
  expect(await fewAtOnce([], work)).toEqual([]);
  begun.length = 0;
  await expect(fewAtOnce(items, work)).rejects.toThrow("the seventh");
  for (let turn = 0; turn < 20; turn++) await settled();
  expect(begun.length).toBeLessThan(15);
});

test.each<[string, number, (objects: Objects) => Promise<unknown>]>([
  ["services of all agents", 64, (objects) => shards(objects).all("services")],
  ["the agent that has a check", 64, (objects) => shards(objects).ofCheck("mine")],
  ["what all objects have done", 195, (objects) => deployment(objects).work("2026-11")],
  ["members of all pools", 63, (objects) => peers(objects).roster()],
  ["who has a thousand names", 63, (objects) => peers(objects).heldAnywhere(thousand)],
])("%s: six objects at a time", async (_what, asked, work) => {
  const objects = new SlowObjects();
  await work(objects as unknown as Objects);
  expect(objects.asked).toBe(asked);
  expect(objects.most).toBe(limits.connectionsAtOnceMax);
});

const thousand = Array.from({ length: 1_000 }, (_, n) => ({ name: `host-${n}`, id: String(n) }));

function shards(objects: Objects): AgentShards {
  return new AgentShards({ objects, settings } as unknown as ClusterAccess);
}

function deployment(objects: Objects): StubDeploymentObjects {
  return new StubDeploymentObjects({ objects, settings, log: () => undefined });
}

function peers(objects: Objects): PoolPeers {
  return new PoolPeers(objects, settings, "dc1", "dc1/lan/0");
}
