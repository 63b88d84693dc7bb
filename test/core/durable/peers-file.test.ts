// The file by which an operator says who the group is when its majority is lost. Texts are the reference's.

import { expect, test } from "vitest";

import { parsePeers } from "../../../durable/raft/peers-file.ts";

const known = { members: [{ id: "a", name: "one", address: "10.0.0.1:8300", voter: true }] };
const failed = "recovery failed to parse peers.json: ";

test("members keep the names by which they are known", () => {
  const content = JSON.stringify([
    { id: "a", address: "10.0.0.9:8300" },
    { id: "b", address: "10.0.0.2:8300", non_voter: true },
  ]);
  expect(parsePeers(content, known)).toEqual([
    { id: "a", name: "one", address: "10.0.0.9:8300", voter: true },
    { id: "b", name: "", address: "10.0.0.2:8300", voter: false },
  ]);
});

test.each([
  ["x", "invalid character 'x' looking for beginning of value"],
  ['{"a":1}', "json: cannot unmarshal object into Go value of type []raft.configEntry"],
  ['["10.0.0.1:8300"]', "json: cannot unmarshal string into Go value of type raft.configEntry"],
  ["[]", "Need at least one voter in configuration: {[]}"],
  [
    '[{"id":"a","address":"10.0.0.1:8300","non_voter":true}]',
    "Need at least one voter in configuration: {[{Nonvoter a 10.0.0.1:8300}]}",
  ],
  [
    '[{"id":"","address":"10.0.0.1:8300"}]',
    "Empty ID in configuration: {[{Voter  10.0.0.1:8300}]}",
  ],
  [
    '[{"id":"a","address":"x:1"},{"id":"a","address":"y:1"}]',
    "Found duplicate ID in configuration: a",
  ],
  [
    '[{"id":"a","address":"x:1"},{"id":"b","address":"x:1"}]',
    "Found duplicate address in configuration: x:1",
  ],
])("%s is refused", (content, why) => {
  expect(() => parsePeers(content, known)).toThrow(failed + why);
});
