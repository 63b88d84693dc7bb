// Which dead servers leave the group by themselves.

import { expect, test } from "vitest";
import {
  type DeadServer,
  type LiveServer,
  replacedServers,
} from "../../../durable/leader/dead-servers.ts";

const member = (id: string, voter = true) => ({ id, name: id, address: `${id}:8300`, voter });
const dead = (id: string, failedIndex: number, voter = true): DeadServer => {
  return { member: member(id, voter), failedIndex, silentSinceMs: 1_000 };
};
const live = (id: string, sinceIndex: number, voter = true): LiveServer => {
  return { member: member(id, voter), sinceIndex, votesSinceMs: null };
};
const promoted = (id: string, sinceIndex: number, votesSinceMs: number): LiveServer => {
  return { ...live(id, sinceIndex), votesSinceMs };
};
const defaults = { CleanupDeadServers: true, MinQuorum: 0 };
const founders = [live("a", 2), live("b", 3)];

test.each<[string, DeadServer[], LiveServer[], typeof defaults, string[]]>([
  ["nobody came after it", [dead("c", 10)], founders, defaults, []],
  ["one came after it", [dead("c", 10)], [...founders, live("d", 11)], defaults, ["c"]],
  ["one came before it failed", [dead("c", 10)], [...founders, live("d", 9)], defaults, []],
  [
    "one came before that was noticed, and got its vote when it was silent already",
    [dead("c", 10)],
    [...founders, promoted("d", 9, 1_001)],
    defaults,
    ["c"],
  ],
  [
    "one got its vote before it fell silent",
    [dead("c", 10)],
    [...founders, promoted("d", 9, 1_000)],
    defaults,
    [],
  ],
  [
    "the newcomer has no vote yet",
    [dead("c", 10)],
    [...founders, live("d", 11, false)],
    defaults,
    [],
  ],
  [
    "one newcomer replaces one, the one that failed first",
    [dead("e", 12), dead("c", 10)],
    [...founders, live("x", 4), live("d", 13)],
    defaults,
    ["c"],
  ],
  [
    "half of the voters is too much at once",
    [dead("c", 10), dead("e", 11)],
    [live("a", 2), live("d", 12), live("f", 13)],
    defaults,
    [],
  ],
  [
    "fewer than the least are not left",
    [dead("c", 10)],
    [...founders, live("d", 11)],
    { ...defaults, MinQuorum: 4 },
    [],
  ],
  [
    "it is switched off",
    [dead("c", 10)],
    [...founders, live("d", 11)],
    { ...defaults, CleanupDeadServers: false },
    [],
  ],
  [
    "a dead learner counts for no majority",
    [dead("c", 10, false)],
    [live("a", 2), live("d", 11)],
    { ...defaults, MinQuorum: 2 },
    ["c"],
  ],
])("%s", (_what, gone, present, config, expected) => {
  expect(replacedServers(gone, present, config).map(({ id }) => id)).toEqual(expected);
});
