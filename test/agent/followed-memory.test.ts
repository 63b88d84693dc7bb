// What a host agent follows takes bounded memory.

import { expect, test } from "vitest";
import { limits } from "../../src/core/model/limits.ts";
import type { BlockingReads } from "../../src/link/blocking-reads.ts";
import { FollowedReads } from "../../src/link/followed-reads.ts";
import type { ReadAnswer } from "../../src/link/protocol.ts";

const body = `["${"v".repeat(1_000_000)}"]`;
const answer = (text: string): ReadAnswer => ({
  id: 0,
  index: 1,
  knownLeader: true,
  lastContactMs: 0,
  body: text,
});

/** Follows reads whose changes come by `change`. */
function followed() {
  const waiting: { key: string; resolve(answer: ReadAnswer): void; signal: AbortSignal }[] = [];
  const reads = {
    read: (request: { args: { service?: unknown } }, _waitMs: number, signal: AbortSignal) =>
      new Promise<ReadAnswer>((resolve) => {
        waiting.push({ key: String(request.args.service), resolve, signal });
      }),
  } as unknown as BlockingReads;
  const views = new FollowedReads(reads, async () => await Promise.resolve(answer(body)));
  return { views, waiting };
}

const read = (views: FollowedReads, at: number) =>
  views.read({ read: "health.service", args: { service: `s${at}` } });

test("the least recently used go, and are no longer followed", async () => {
  const { views, waiting } = followed();
  for (let at = 0; at < 30; at += 1) await read(views, at);
  const following = waiting.filter(({ signal }) => !signal.aborted);
  expect(following.length * body.length).toBeLessThanOrEqual(limits.followedReadsBytesMax);
  expect(following.length).toBeGreaterThan(10);
  expect((await read(views, 29)).hit).toBe(true);
  expect((await read(views, 0)).hit).toBe(false);
  views.stop();
});

test("a view that grows makes room too", async () => {
  const { views, waiting } = followed();
  for (let at = 0; at < 10; at += 1) await read(views, at);
  expect(waiting.filter(({ signal }) => !signal.aborted)).toHaveLength(10);
  const grown = { ...answer("[".padEnd(10_000_000, " ")), index: 2 };
  waiting.find(({ key }) => key === "s9")?.resolve(grown);
  await expect.poll(() => waiting.filter(({ signal }) => signal.aborted).length).toBeGreaterThan(2);
  expect((await read(views, 9)).answer).toBe(grown);
  expect((await read(views, 0)).hit).toBe(false);
  views.stop();
});
