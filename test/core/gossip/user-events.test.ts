// What an agent makes of the user events that reach it, and what it tells a pool that it comes back to.

import { beforeEach, expect, test } from "vitest";
import {
  type EventService,
  isFor,
  isUnknown,
  knownClock,
  knownPattern,
  UserEvents,
} from "../../../src/core/gossip/user-events.ts";
import { eventWindow, type UserEvent } from "../../../src/core/model/user-event.ts";

const services: EventService[] = [{ ID: "idx", Tags: ["red", "blue"] }];
let events: UserEvents;

beforeEach(() => {
  events = new UserEvents({ nodeName: "evref", services: () => services });
});

function event(LTime: number, given: Partial<UserEvent> = {}): UserEvent {
  const ID = `${LTime.toString(16).padStart(8, "0")}-0000-4000-8000-000000000000`;
  const filters = { NodeFilter: "", ServiceFilter: "", TagFilter: "" };
  return { ID, Name: `e${LTime}`, Payload: "", ...filters, Version: 1, LTime, ...given };
}

const names = (): string[] => events.list.map(({ Name }) => Name);

test.each<[Partial<UserEvent>, boolean]>([
  [{}, true],
  [{ NodeFilter: "evr" }, true],
  [{ NodeFilter: "^ev.ef$" }, true],
  [{ NodeFilter: "EVR" }, false],
  [{ ServiceFilter: "idx" }, true],
  [{ ServiceFilter: "d" }, true],
  [{ ServiceFilter: "IDX" }, false],
  [{ ServiceFilter: "consul" }, false],
  [{ ServiceFilter: "^idx$", TagFilter: "bl" }, true],
  [{ ServiceFilter: "idx", TagFilter: "green" }, false],
  [{ NodeFilter: "other", ServiceFilter: "idx" }, false],
  [{ Version: 2 }, false],
  [{ NodeFilter: "(" }, false],
])("%j is for this agent: %s", (given, expected) => {
  expect(isFor(event(1, given), { nodeName: "evref", services: () => services })).toBe(expected);
});

test("each is taken once, in the order in which they come, and listeners hear of it", () => {
  let heard = 0;
  const unsubscribe = events.subscribe(() => (heard += 1));
  events.take([event(2), event(1)]);
  events.take([event(1), event(2)]);
  events.take([event(3, { NodeFilter: "other" })]);
  expect([names(), heard]).toEqual([["e2", "e1"], 1]);
  unsubscribe();
  events.take([event(4)]);
  expect([names(), heard]).toEqual([["e2", "e1", "e4"], 1]);
});

test("the newest 256 are shown, and what is older than that comes too late", () => {
  const many = Array.from({ length: eventWindow + 10 }, (_, at) => event(at + 10));
  events.take(many);
  expect(names()).toHaveLength(eventWindow);
  expect(names()[0]).toBe("e20");
  events.take([event(5), event(19)]);
  expect(names().at(-1)).toBe("e275");
  events.take([event(20, { ID: "ffffffff-0000-4000-8000-000000000000", Name: "late" })]);
  expect(names().at(-1)).toBe("late");
});

test("before it was taken in an agent tells nothing; then, what it has", () => {
  expect(events.known).toBe("");
  events.greeted(7);
  expect(events.known).toBe("7");
  events.take([event(8), event(9)]);
  expect(events.known).toBe("7.00000009.00000008");
  expect(isUnknown(event(7), events.known)).toBe(false);
  expect(isUnknown(event(8), events.known)).toBe(false);
  expect(isUnknown(event(10), events.known)).toBe(true);
  // Two pools may give one time to two events.
  expect(isUnknown(event(9, { ID: "eeeeeeee-0000" }), events.known)).toBe(true);
});

test("a later greeting makes nothing old that was missed", () => {
  events.greeted(7);
  events.greeted(20);
  expect(isUnknown(event(8), events.known)).toBe(true);
});

test("so many are named that what was missed among the newest is sent, and no more than that", () => {
  events.greeted(1);
  events.take(Array.from({ length: 40 }, (_, at) => event(at + 2)));
  const { known } = events;
  expect(known).toMatch(knownPattern);
  const [floor, ...named] = known.split(".");
  expect([floor, named.length]).toEqual(["25", 16]);
  const again = Array.from({ length: 40 }, (_, at) => event(at + 2)).filter((one) =>
    isUnknown(one, known),
  );
  expect(again).toEqual([]);
});

test.each([
  ["7.00000009", true, 7],
  ["7", true, 7],
  ["", false, 0],
  ["x", false, 0],
  ["7.zz", false, 7],
  [`7${".00000009".repeat(17)}`, false, 7],
  ["1e15", false, 1e15],
  ["9".repeat(40), false, 0],
])("%j is what a member may tell: %s", (known, isAllowed, clock) => {
  expect([knownPattern.test(known), knownClock(known)]).toEqual([isAllowed, clock]);
});
