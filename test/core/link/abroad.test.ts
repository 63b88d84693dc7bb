// Reads of another datacenter that wait at a server here: who is answered, what ends, and what a server that lost its
// memory knows of them.

import { beforeEach, expect, test } from "vitest";

import { registrationsIn } from "../../../durable/link/registrations.ts";
import { WaitingReads } from "../../../durable/link/waiting-reads.ts";
import { WaitsAbroad } from "../../../durable/link/waits-abroad.ts";
import type { ObjectSocket } from "../../../durable/platform/platform.ts";
import { ServiceError } from "../../../src/core/model/errors.ts";
import { limits } from "../../../src/core/model/limits.ts";
import type { ReadAnswer } from "../../../src/link/protocol.ts";
import { settled, VirtualTime } from "../../support/virtual-time.ts";

let waits: WaitsAbroad;
let here: WaitingReads;
let socket: ObjectSocket;
/** What was said on the socket. */
let said: string[];
/** What waits in the other datacenter, by its id. */
let abroad: Map<number, { settle(answer: ReadAnswer | Error): void; cancelled: boolean }>;

beforeEach(() => {
  said = [];
  abroad = new Map();
  socket = {
    send: () => undefined,
    close: () => undefined,
    attachment: null,
    autoAnsweredMs: null,
  };
  here = new WaitingReads({
    timers: new VirtualTime().timers,
    serves: () => true,
    evaluate: () => {
      throw new Error("nothing here is asked");
    },
    answer: () => undefined,
    fail: () => undefined,
  });
  waits = new WaitsAbroad({
    datacenters: {
      wait: ({ id }) => {
        const { promise, resolve, reject } = Promise.withResolvers<ReadAnswer>();
        const settle = (answer: ReadAnswer | Error): void =>
          answer instanceof Error ? reject(answer) : resolve(answer);
        const wait = { settle, cancelled: false };
        abroad.set(id, wait);
        return { answer: promise, cancel: () => void (wait.cancelled = true) };
      },
    },
    answer: (_socket, { id, body }) => void said.push(`${id} ${body}`),
    fail: (_socket, id, failure) => void said.push(`${id} ${(failure as Error).message}`),
    holds: (on, isHeld) => here.holdsMore(on, isHeld),
  });
});

function begin(id: number): void {
  waits.begin(socket, { id, read: "kv.get", args: {}, minIndex: 5, dc: "dc2" });
}

function settle(id: number): void {
  abroad.get(id)?.settle({ id, index: 9, body: '"far"', knownLeader: true, lastContactMs: 0 });
}

test("each is answered once, with what moved there or with what went wrong", async () => {
  begin(1);
  begin(2);
  settle(1);
  abroad.get(2)?.settle(new ServiceError("no-leader", "No cluster leader"));
  await settled();
  expect(said).toEqual(['1 "far"', "2 No cluster leader"]);
});

test("a socket with one is greeted when memory is lost, and one without is not", async () => {
  begin(1);
  await settled();
  expect(registrationsIn(socket.attachment)).toBeNull();
  settle(1);
  await settled();
  expect(registrationsIn(socket.attachment)).toEqual([]);
});

test("it ends when it is given up, and with its socket; nobody is answered then", async () => {
  begin(1);
  begin(2);
  waits.cancel(socket, 1);
  expect([abroad.get(1)?.cancelled, abroad.get(2)?.cancelled]).toEqual([true, false]);
  waits.closed(socket);
  expect(abroad.get(2)?.cancelled).toBe(true);
  settle(1);
  settle(2);
  await settled();
  expect(said).toEqual([]);
});

test("the same id asked again takes the place of the first", async () => {
  begin(1);
  const first = abroad.get(1);
  begin(1);
  expect(first?.cancelled).toBe(true);
  settle(1);
  await settled();
  expect(said).toEqual(['1 "far"']);
});

test("too many on one socket are refused", () => {
  for (let id = 1; id <= limits.waitingReadsPerLinkMax; id++) begin(id);
  expect(() => begin(0)).toThrow("too many blocking queries");
});
