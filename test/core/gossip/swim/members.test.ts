// Which news beats which (SWIM §4.2), and the table that is bounded.

import { expect, test } from "vitest";

import {
  isPresent,
  membersMax,
  MemberTable,
  overrides,
  type SwimMember,
  type SwimStatus,
} from "../../../../src/core/gossip/swim/members.ts";
import { seededRandom } from "../../../../src/core/lib/random.ts";

const worse: SwimStatus[] = ["alive", "suspect", "dead", "left"];

test("a greater incarnation always counts, the same one only when it is worse", () => {
  for (const [newRank, status] of worse.entries()) {
    for (const [oldRank, old] of worse.entries()) {
      const beats = (incarnation: number): boolean =>
        overrides({ status, incarnation }, { status: old, incarnation: 5 });
      expect([beats(4), beats(5), beats(6)]).toEqual([false, newRank > oldRank, true]);
    }
  }
});

function memberOf(n: number, status: SwimStatus = "alive"): SwimMember {
  return { name: `host-${n}`, host: "10.0.0.1", port: 8301, status, incarnation: 1, sinceMs: 0 };
}

test("everybody's turn comes once a round, a newcomer's too", () => {
  const table = new MemberTable(seededRandom(7));
  for (let n = 0; n < 20; n++) table.add(memberOf(n), false);
  const round = (count: number): Set<string> =>
    new Set(Array.from({ length: count }, () => table.next(isPresent)?.name ?? ""));
  round(20);
  expect(round(20).size).toBe(20);
  for (let n = 0; n < 7; n++) table.next(isPresent);
  table.add(memberOf(20), false);
  table.remove("host-3");
  const seen = round(40);
  expect([seen.size, seen.has("host-20"), seen.has("host-3")]).toEqual([20, true, false]);
});

test("a full table takes in who speaks for itself, and forgets first who is gone", () => {
  const table = new MemberTable(seededRandom(7));
  for (let n = 0; n < membersMax; n++) table.add(memberOf(n, n === 9 ? "dead" : "alive"), false);
  expect(table.add(memberOf(200), false)).toBe(true);
  expect(table.find("host-9")).toBeUndefined();
  expect(table.add(memberOf(201), false)).toBe(false);
  expect(table.add(memberOf(202), true)).toBe(true);
  expect([table.size, table.present]).toEqual([membersMax, membersMax]);
});
