// Majorities, as tables a reader can check by eye.

import { describe, expect, test } from "vitest";
import { majority, quorumValue, voteResult } from "../../../src/core/raft/quorum.ts";

test("a majority is more than half", () => {
  expect([1, 2, 3, 4, 5, 6, 7].map((count) => majority(count))).toEqual([1, 2, 2, 3, 3, 4, 4]);
});

test("the quorum value is what a majority has reached", () => {
  const cases: [number[], number][] = [
    [[], 0],
    [[7], 7],
    [[7, 3], 3],
    [[9, 3, 5], 5],
    [[9, 9, 0], 9],
    [[1, 2, 3, 4], 2],
    [[0, 0, 8, 8, 8], 8],
    [[0, 0, 0, 8, 8], 0],
  ];
  for (const [values, expected] of cases) expect(quorumValue([...values])).toBe(expected);
});

describe("votes", () => {
  const voters = ["a", "b", "c", "d", "e"];
  const cases: [string, string][] = [
    ["yyy..", "won"],
    ["yynn.", "pending"],
    ["ynnn.", "lost"],
    ["yy...", "pending"],
    [".....", "pending"],
  ];
  test.for(cases)("%s is %s", ([text, expected]) => {
    const votes = new Map<string, boolean>();
    for (const [position, voter] of voters.entries()) {
      if (text[position] !== ".") votes.set(voter, text[position] === "y");
    }
    expect(voteResult(voters, votes)).toBe(expected);
  });

  test("nobody wins where nobody votes", () => {
    expect(voteResult([], new Map())).toBe("lost");
  });
});
