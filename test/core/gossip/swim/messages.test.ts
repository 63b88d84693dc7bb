// Messages as bytes: what is said is read as it was said, and nothing else is read at all.

import * as fc from "fast-check";
import { expect, test } from "vitest";

import { statuses } from "../../../../src/core/gossip/swim/members.ts";
import {
  packMessage,
  packUpdate,
  type SwimMessage,
  unpackMessage,
} from "../../../../src/core/gossip/swim/messages.ts";

const name = fc.string({ minLength: 1, maxLength: 40, unit: "grapheme-ascii" });
const peer = { name, host: fc.ipV4(), port: fc.integer({ min: 0, max: 65_535 }) };
const seq = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const incarnation = fc.integer({ min: 0, max: 2 ** 52 });
const updates = fc.array(
  fc.record({
    status: fc.constantFrom(...statuses),
    ...peer,
    incarnation,
    by: fc.string({ maxLength: 20 }),
  }),
  { maxLength: 5 },
);
const message: fc.Arbitrary<SwimMessage> = fc.oneof(
  fc.record({
    ...{ kind: fc.constant("ping" as const), seq, to: name, updates },
    from: fc.record({ ...peer, incarnation }),
  }),
  fc.record({
    kind: fc.constantFrom("ack" as const, "nack" as const, "gossip" as const),
    seq,
    updates,
  }),
  fc.record({ kind: fc.constant("ask" as const), seq, target: fc.record(peer), updates }),
);

test("every message is read as it was written", () => {
  fc.assert(
    fc.property(message, (said) => {
      expect(unpackMessage(packMessage(said, said.updates.map(packUpdate)))).toEqual(said);
    }),
  );
});

test("what is cut off or made up is no message, and never an error", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      unpackMessage(bytes);
    }),
  );
  const said = packMessage(
    {
      kind: "ping",
      seq: 1,
      to: "a",
      from: { name: "b", host: "10.0.0.1", port: 1, incarnation: 2 },
    },
    [],
  );
  for (let length = 0; length < said.length; length++) {
    expect(unpackMessage(said.subarray(0, length))).toBeNull();
  }
  const tooMany = Array.from({ length: 65 }, () =>
    packUpdate({ status: "alive", name: "a", host: "", port: 1, incarnation: 1, by: "" }),
  );
  expect(unpackMessage(packMessage({ kind: "gossip", seq: 0 }, tooMany))).toBeNull();
});
