// How large an event may be, and the index of a list that ends with it. All numbers were measured on Consul 1.8.7.

import { expect, test } from "vitest";
import { encodeBase64 } from "../../../src/core/lib/base64.ts";
import {
  eventIndex,
  eventSizeProblem,
  isUserEvent,
  type UserEvent,
  validateEvent,
} from "../../../src/core/model/user-event.ts";

const event = (given: Partial<UserEvent> = {}): UserEvent => ({
  ...{ ID: "58f6ceed-254b-51f7-5c9e-47180b457015", Name: "a", Payload: "" },
  ...{ NodeFilter: "", ServiceFilter: "", TagFilter: "", Version: 1, LTime: 1 },
  ...given,
});
const after = "encoded user event exceeds configured limit of 512 bytes after encoding";
const before = "user event exceeds configured limit of 512 bytes before encoding";
const bytes = (count: number): string => encodeBase64(new Uint8Array(count));
const name = (length: number): Partial<UserEvent> => ({ Name: "n".repeat(length) });

test.each<[Partial<UserEvent>, number]>([
  [{}, 414],
  [{ NodeFilter: "abc" }, 407],
  [{ ServiceFilter: "abcd", TagFilter: "v" }, 401],
  [name(10), 396],
  [{ ...name(10), NodeFilter: "x*".repeat(15) }, 362],
  [{ ...name(10), NodeFilter: "x*".repeat(16) }, 359],
  [{ ...name(10), NodeFilter: "x*".repeat(20) }, 351],
  [{ ...name(10), NodeFilter: "x*".repeat(60) }, 271],
  [name(17), 382],
  [name(18), 380],
  [name(19), 376],
  [name(31), 352],
  [name(32), 349],
  [name(80), 254],
  [name(200), 14],
  [name(205), 4],
])("%j takes a payload of %i bytes", (given, most) => {
  expect(eventSizeProblem(event({ ...given, Payload: bytes(most) }))).toBeNull();
  expect(eventSizeProblem(event({ ...given, Payload: bytes(most + 1) }))).toBe(after);
});

test("what is too large before it is encoded says so", () => {
  expect(eventSizeProblem(event({ Payload: bytes(2_000) }))).toBe(before);
  expect(eventSizeProblem(event(name(210)))).toBe(after);
  expect(eventSizeProblem(event(name(230)))).toBe(before);
  // Bytes count, and so do those of a clock that has ticked often.
  expect(eventSizeProblem(event({ Name: "é".repeat(115) }))).toBe(before);
  expect(eventSizeProblem(event({ Payload: bytes(414), LTime: 128 }))).toBe(after);
});

test("the index is one half of the id against the other", () => {
  expect(eventIndex("c59bffb3-0aae-cc23-ea95-e8d2eac81c62")).toBe("3390673278600663105");
  expect(eventIndex("3b6646bc-9b9d-6209-1f2c-8f40c0b77419")).toBe("2615124619340420624");
});

test.each<[Partial<UserEvent>, string]>([
  [{ TagFilter: "(" }, "Cannot provide tag filter without service filter"],
  [
    { NodeFilter: "(", ServiceFilter: "(" },
    "Invalid node filter: error parsing regexp: missing closing ): `(`",
  ],
  [{ ServiceFilter: "(" }, "Invalid service filter: error parsing regexp: missing closing ): `(`"],
  [
    { ServiceFilter: "x", TagFilter: "(" },
    "Invalid tag filter: error parsing regexp: missing closing ): `(`",
  ],
])("%j is refused", (given, text) => {
  expect(() => validateEvent(event(given))).toThrow(text);
});

test.each<[unknown, boolean]>([
  [event(), true],
  [null, false],
  ["x", false],
  [{ ...event(), LTime: 1.5 }, false],
  [{ ...event(), LTime: 2 ** 53 }, false],
  [{ ...event(), Name: 1 }, false],
  [{}, false],
])("%j is an event: %s", (value, expected) => {
  expect(isUserEvent(value)).toBe(expected);
});
