// Frames of the link: what was encoded comes back, and what was not is refused.

import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { JsonValue } from "../../../src/core/model/json.ts";
import { limits } from "../../../src/core/model/limits.ts";
import type { Command } from "../../../src/core/state/commands.ts";
import {
  decodeRequests,
  encodeHello,
  encodeReplies,
  encodeRequests,
} from "../../../src/link/protocol.ts";
import { decodeServerFrame } from "../../../src/link/server-frame.ts";
import type { Hello, LinkReply, LinkRequest } from "../../../src/link/protocol.ts";

const id = fc.maxSafeInteger();
const text = fc.string({ unit: "binary", maxLength: 12 });
const args = fc.dictionary(text, fc.jsonValue({ maxDepth: 2 }) as fc.Arbitrary<JsonValue>, {
  noNullPrototype: true,
});
const asked = { token: text, dc: text };

const request: fc.Arbitrary<LinkRequest> = fc.oneof(
  fc.record(
    {
      id,
      read: text,
      args,
      consistency: fc.constantFrom("default", "consistent", "stale"),
      maxStaleMs: fc.nat(),
      minIndex: fc.maxSafeNat(),
      ...asked,
    },
    { requiredKeys: ["id", "read", "args"] },
  ),
  fc.record(
    { id, write: fc.record({ type: fc.constant("kv.delete" as const), key: text }), ...asked },
    { requiredKeys: ["id", "write"] },
  ) as fc.Arbitrary<{ id: number; write: Command }>,
  fc.record({ id, renew: text, ...asked }, { requiredKeys: ["id", "renew"] }),
  fc.record({ id, cancel: fc.constant(true as const) }),
  fc.record(
    { id, status: fc.constant(true as const), dc: text },
    { requiredKeys: ["id", "status"] },
  ),
);

const body = fc.oneof(
  fc.constant(null),
  // Any text at all: bodies are JSON, but the frame must not depend on it.
  fc.string({ unit: "binary", maxLength: 40 }),
  fc.constantFrom("", "\n", "[\n]", "\u{1f600}", "\ud83d"),
);

const reply: fc.Arbitrary<LinkReply> = fc.oneof(
  fc.record({
    id,
    index: fc.maxSafeNat(),
    knownLeader: fc.boolean(),
    lastContactMs: fc.nat(),
    body,
  }),
  fc.record({ id, value: fc.jsonValue({ maxDepth: 2 }) }),
  fc.record({ id, error: fc.record({ code: fc.constant("internal" as const), message: text }) }),
);

/** JSON knows no -0. */
function plain<Value>(value: Value): Value {
  return JSON.parse(JSON.stringify(value)) as Value;
}

function accepts(decode: (frame: string) => unknown, frame: string): boolean {
  try {
    decode(frame);
    return true;
  } catch (failure) {
    if (failure instanceof SyntaxError || failure instanceof TypeError) return false;
    throw failure;
  }
}

describe("requests", () => {
  test("come back as they went in", () => {
    fc.assert(
      fc.property(fc.array(request, { maxLength: 5 }), (requests) => {
        expect(decodeRequests(encodeRequests(requests))).toEqual(plain(requests));
      }),
    );
  });

  test("that end early are refused", () => {
    fc.assert(
      fc.property(fc.array(request, { maxLength: 3 }), fc.nat(), (requests, cut) => {
        const frame = encodeRequests(requests);
        expect(accepts(decodeRequests, frame.slice(0, cut % frame.length))).toBe(false);
      }),
    );
  });

  test("garbage is refused, or is a list of requests", () => {
    const json = fc.oneof(
      fc.json(),
      fc.array(fc.jsonValue()).map((list) => JSON.stringify(list)),
    );
    fc.assert(
      fc.property(fc.oneof(fc.string(), json), (frame) => {
        if (!accepts(decodeRequests, frame)) return;
        for (const each of decodeRequests(frame)) expect(Number.isSafeInteger(each.id)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  test.each([
    ["an object", "{}"],
    ["a list of nothing", "[null]"],
    ["no id", '[{"read":"kv.get","args":{}}]'],
    ["an id that is no number", '[{"id":"1","status":true}]'],
    ["an id that a number cannot hold", '[{"id":9007199254740993,"status":true}]'],
    ["nothing asked", '[{"id":1}]'],
    ["a read without arguments", '[{"id":1,"read":"kv.get"}]'],
    ["a read with a list of arguments", '[{"id":1,"read":"kv.get","args":[]}]'],
    ["a write that is text", '[{"id":1,"write":"kv.set"}]'],
    ["a token that is null", '[{"id":1,"renew":"a","token":null}]'],
    ["a datacenter that is a number", '[{"id":1,"status":true,"dc":1}]'],
    ["an index that is text", '[{"id":1,"read":"kv.get","args":{},"minIndex":"1"}]'],
    ["one that is sound and one that is not", '[{"id":1,"status":true},{}]'],
  ])("%s is refused", (_what, frame) => {
    expect(accepts(decodeRequests, frame)).toBe(false);
  });
});

describe("frames of a server", () => {
  test("replies come back as they went in, whatever their bodies", () => {
    fc.assert(
      fc.property(fc.array(reply, { maxLength: 5 }), (replies) => {
        expect(decodeServerFrame(encodeReplies(replies))).toEqual({ replies: plain(replies) });
      }),
      { numRuns: 300 },
    );
  });

  test.each([
    ["nothing", ""],
    ["a number", "7"],
    ["null", "null"],
    ["an object that says nothing", "{}"],
    ["replies that are no list", '{"replies":{}}'],
    ["a reply that is null", '{"replies":[null]}'],
    ["a reply without an id", '{"replies":[{"value":1}]}'],
    ["a reply without anything", '{"replies":[{"id":1}]}'],
    ["an error that is text", '{"replies":[{"id":1,"error":"no"}]}'],
    ["a body without its length", '{"replies":[{"id":1,"index":1,"body":"x"}]}\nx'],
    ["a body that is not there", '{"replies":[{"id":1,"index":1,"body":1}]}'],
    ["a body that ends early", '{"replies":[{"id":1,"index":1,"body":9}]}\nshort'],
    ["a body of less than nothing", '{"replies":[{"id":1,"index":1,"body":-1}]}\nx'],
    ["an empty hello", '{"hello":{}}'],
    ["a hello that is null", '{"hello":null}'],
  ])("%s is refused", (_what, frame) => {
    expect(accepts(decodeServerFrame, frame)).toBe(false);
  });

  test("a hello comes back as it went in", () => {
    const hello: fc.Arbitrary<Hello> = fc.record({
      version: fc.nat(),
      incarnation: fc.maxSafeNat(),
      serverName: text,
      servers: fc.array(text, { maxLength: 3 }),
      reconnectSpreadMs: fc.nat(),
    });
    fc.assert(
      fc.property(hello, (given) => {
        expect(decodeServerFrame(encodeHello(given))).toEqual({ hello: given });
      }),
    );
  });

  test("garbage is refused as what it is", () => {
    const frames = fc.array(reply, { maxLength: 3 }).map(encodeReplies);
    const cut = fc.tuple(frames, fc.nat()).map(([frame, at]) => frame.slice(0, at % frame.length));
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json(), cut), (frame) => {
        expect(() => accepts(decodeServerFrame, frame)).not.toThrow();
      }),
      { numRuns: 500 },
    );
  });
});

test.each([
  ["of one byte", "x"],
  ["of three bytes", "語"],
  ["that JSON escapes once", '"'],
  ["that JSON escapes at length", "\u0001"],
])("the longest answer, of letters %s, fits a message of the platform", (_what, letter) => {
  const each = JSON.stringify(letter).length - 2;
  const text = letter.repeat(Math.floor((limits.answerLengthMax - 2) / each));
  const body = JSON.stringify(text);
  expect(body.length).toBeLessThanOrEqual(limits.answerLengthMax);
  const frame = encodeReplies([{ id: 1, index: 1, body, knownLeader: true, lastContactMs: 0 }]);
  expect(Buffer.byteLength(frame)).toBeLessThanOrEqual(limits.messageBytesMax);
});
