// The answering end of the link alone: when it evaluates, what it keeps on sockets, how it sends. Time is virtual.

import * as fc from "fast-check";
import { beforeEach, describe, expect, test } from "vitest";

import { LinkServer } from "../../../durable/link/links.ts";
import { pack, registrationsIn, type Registration } from "../../../durable/link/registrations.ts";
import type { ObjectSocket, SocketAttachment } from "../../../durable/platform/platform.ts";
import { limits } from "../../../src/core/model/limits.ts";
import type { Evaluated } from "../../../src/core/state/machine.ts";
import {
  encodeRequests,
  type LinkReply,
  type LinkRequest,
  type ReadRequest,
} from "../../../src/link/protocol.ts";
import { decodeServerFrame } from "../../../src/link/server-frame.ts";
import { onlyDatacenter } from "../../support/memory-cluster.ts";
import { settled, VirtualTime } from "../../support/virtual-time.ts";

/** As the platform measures it: text of which every letter fits a byte takes one byte each, other text two. */
const attachmentBytesMax = 16_384;

class FarEnd implements ObjectSocket {
  readonly frames: string[] = [];
  bufferedBytes = 0;
  autoAnsweredMs = null;
  closeCode: number | null = null;
  #attachment: SocketAttachment = null;

  send(frame: string): void {
    if (this.closeCode !== null) throw new TypeError("closed");
    this.frames.push(frame);
  }

  close(code: number): void {
    this.closeCode = code;
  }

  get attachment(): SocketAttachment {
    return this.#attachment;
  }

  set attachment(value: SocketAttachment) {
    const text = JSON.stringify(value);
    // oxlint-disable-next-line no-control-regex -- the range is what one byte holds
    const bytes = /[^\0-\xff]/.test(text) ? 2 * text.length : text.length;
    if (bytes > attachmentBytesMax) throw new RangeError("the attachment is too large");
    this.#attachment = value;
  }

  get replies(): LinkReply[] {
    return this.frames.flatMap((frame) => {
      const decoded = decodeServerFrame(frame);
      return "replies" in decoded ? decoded.replies : [];
    });
  }

  get answers(): LinkReply[] {
    return this.replies.filter((reply) => !("waiting" in reply));
  }

  get greeted(): boolean {
    return this.frames.some((frame) => "hello" in decodeServerFrame(frame));
  }
}

let time: VirtualTime;
let sockets: FarEnd[];
/** The answer to every question, and what it waits for. */
let state: { index: number; body: string; topics: string[]; whole: boolean };
let evaluated: string[];
let server: LinkServer;

function serverOf(incarnation: number): LinkServer {
  const evaluate = ({ read }: ReadRequest): Evaluated => {
    evaluated.push(read);
    return { index: state.index, body: state.body, topics: [`${read}:x`, ...state.topics] };
  };
  return new LinkServer({
    sockets: { list: () => sockets, autoAnswer: () => undefined },
    timers: time.timers,
    requests: {
      evaluate,
      serves: () => state.whole,
      mayAnswerAtOnce: () => true,
      readable: () => Promise.resolve(),
      permit: () => undefined,
      read: (request) => Promise.resolve(evaluate(request)),
      write: () => Promise.resolve(true),
      renew: () => Promise.resolve(""),
      lastContactMs: () => 0,
    },
    group: {
      servers: () => Promise.resolve([]),
      remove: () => Promise.resolve(),
      answer: () => Promise.resolve(null),
    },
    auth: {
      login: () => Promise.reject(new Error("nobody logs in")),
      setMethod: () => Promise.reject(new Error("nobody logs in")),
    },
    authority: {
      sign: () => Promise.reject(new Error("unasked")),
      configure: () => Promise.resolve(true),
    },
    savedStates: { answer: () => Promise.reject(new Error("nothing is saved")) },
    datacenters: onlyDatacenter,
    primary: { write: () => Promise.resolve(null) },
    failover: { complete: (_request, answer) => Promise.resolve(answer) },
    fire: () => Promise.resolve(),
    asked: () => undefined,
    incarnation,
    serverName: () => "s",
    servers: () => [],
    knownLeader: () => true,
    clusterStatus: () => ({ leader: "", peers: [] }),
    reconnectSpreadMs: 0,
  });
}

beforeEach(() => {
  time = new VirtualTime();
  sockets = [];
  evaluated = [];
  state = { index: 5, body: '"a"', topics: [], whole: true };
  server = serverOf(1);
});

function connect(): FarEnd {
  const socket = new FarEnd();
  sockets.push(socket);
  return socket;
}

function send(socket: FarEnd, ...requests: LinkRequest[]): void {
  server.message(socket, encodeRequests(requests));
}

function reading(id: number, read: string, minIndex: number): ReadRequest {
  return { id, read, args: {}, minIndex };
}

async function changed(...topics: string[]): Promise<void> {
  state.index += 1;
  server.fire(topics);
  await time.pass(0);
}

/** As a platform does it: the memory is gone, sockets and their attachments stay. */
async function sleepAndWake(): Promise<void> {
  await settled();
  for (const socket of sockets) socket.frames.length = 0;
  server = serverOf(2);
  server.resume();
}

describe("evaluating", () => {
  test("happens after the turn that touched it, once for all touches and waiters", async () => {
    const ends = [connect(), connect()];
    for (const end of ends) send(end, reading(1, "q", 5));
    await settled();
    evaluated = [];
    state.index = 7;
    server.fire(["q:x"]);
    server.fire(["q:x", "other"]);
    await settled();
    expect(evaluated).toEqual([]);
    await time.pass(0);
    expect(evaluated).toEqual(["q"]);
    for (const { answers } of ends) expect(answers).toMatchObject([{ id: 1, index: 7 }]);
  });

  test("waits for the topics of the newest answer", async () => {
    const end = connect();
    send(end, reading(1, "q", 9));
    state.topics = ["later"];
    await changed("q:x");
    await changed("later");
    await changed("later");
    await changed("later");
    expect(state.index).toBe(9);
    expect(end.answers).toEqual([]);
    await changed("later");
    expect(end.answers).toMatchObject([{ id: 1, index: 10 }]);
  });

  test("answers everybody when the state was replaced, even with a lower index", async () => {
    const end = connect();
    send(end, reading(1, "q", 9), reading(2, "r", 9));
    state.index = 3;
    server.fireAll();
    await time.pass(0);
    expect(end.answers.map(({ id }) => id)).toEqual([1, 2]);
    expect(server.waiting).toBe(0);
  });

  test("does not look at half a state", async () => {
    const end = connect();
    send(end, reading(1, "q", 5));
    state.whole = false;
    evaluated = [];
    await changed("q:x");
    expect(evaluated).toEqual([]);
    state.whole = true;
    server.fire([]);
    await time.pass(0);
    expect(end.answers).toMatchObject([{ id: 1, index: 6 }]);
  });

  test("leaves most of the time to others where answers are long", async () => {
    const end = connect();
    state.body = `"${"x".repeat(10_000_000)}"`;
    let id = 1;
    send(end, reading(id, "long", 5));
    evaluated = [];
    // A client that always asks again, and a write every 5 ms for ten seconds.
    for (let at = 0; at < 2_000; at++) {
      state.index += 1;
      server.fire(["long:x"]);
      await time.pass(5);
      if (end.answers.length === id) send(end, reading(++id, "long", state.index));
    }
    expect(evaluated.length).toBeGreaterThan(3);
    expect(evaluated.length).toBeLessThan(15);
    expect(end.answers.length).toBeGreaterThan(3);
  });

  test("of a long answer does not delay short ones, and nothing is missed", async () => {
    const end = connect();
    state.body = `"${"x".repeat(10_000_000)}"`;
    send(end, reading(1, "long", 5));
    state.body = '"short"';
    send(end, reading(2, "short", 5));
    await changed("short:x", "long:x");
    expect(end.answers).toMatchObject([{ id: 2 }]);
    await time.pass(2_000);
    expect(end.answers).toMatchObject([{ id: 2 }, { id: 1, index: 6 }]);
  });
});

describe("what waits on a socket that outlives the memory", () => {
  test("is answered by the next instance, without a greeting", async () => {
    const end = connect();
    send(end, reading(1, "q", 5), { ...reading(2, "r", 5), follows: true });
    await sleepAndWake();
    expect(server.waiting).toBe(2);
    evaluated = [];
    await changed("q:x");
    expect(evaluated).toEqual(["q"]);
    expect(end.answers).toMatchObject([{ id: 1, index: 6 }]);
    // An index that fell is news to who follows.
    state.index = 2;
    await changed("r:x");
    expect(end.answers).toMatchObject([{ id: 1 }, { id: 2, index: 3 }]);
    expect(end.greeted).toBe(false);
  });

  test("does not wait there any more once it was answered, cancelled or failed", async () => {
    const end = connect();
    send(end, reading(1, "q", 5), reading(2, "r", 5), reading(3, "s", 5));
    await changed("q:x");
    send(end, { id: 2, cancel: true });
    await sleepAndWake();
    expect(server.waiting).toBe(1);
  });

  test("is kept with the topics of the newest answer", async () => {
    const end = connect();
    send(end, reading(1, "q", 9));
    state.topics = ["later"];
    await changed("q:x");
    await sleepAndWake();
    state.index = 9;
    await changed("later");
    expect(end.answers).toMatchObject([{ id: 1, index: 10 }]);
  });

  test("makes the socket be greeted when it was touched and not evaluated before the sleep", async () => {
    const [touched, other] = [connect(), connect()];
    send(touched, reading(1, "q", 5));
    send(other, reading(1, "r", 5));
    server.fire(["q:x"]);
    await sleepAndWake();
    expect([touched.greeted, other.greeted]).toEqual([true, false]);
  });

  test("is asked for again where it does not fit, in whatever letters", async () => {
    for (const [letter, count] of [
      ["x", 300],
      ["ж", 170],
    ] as const) {
      const end = connect();
      const keys = Array.from({ length: count }, (_, id) => ({
        ...reading(id, "q", 5),
        args: { key: letter.repeat(20) + String(id) },
      }));
      send(end, ...keys);
      await sleepAndWake();
      expect(end.greeted, letter).toBe(true);
      send(end, ...keys.slice(0, 20));
      await sleepAndWake();
      expect(end.greeted, letter).toBe(false);
    }
  });

  test("comes back as it was", () => {
    const registration = fc.record<Registration>(
      {
        id: fc.nat(),
        minIndex: fc.nat(),
        follows: fc.constant(true as const),
        question: fc.record(
          {
            read: fc.string(),
            args: fc.dictionary(
              fc.string().filter((name) => name !== "__proto__"),
              fc.oneof(fc.string(), fc.boolean(), fc.constant(null)),
              { noNullPrototype: true },
            ),
            token: fc.string({ minLength: 1 }),
            consistency: fc.constantFrom("default", "consistent", "stale"),
          },
          { requiredKeys: ["read", "args"], noNullPrototype: true },
        ),
        topics: fc.array(fc.string()),
      },
      { requiredKeys: ["id", "minIndex", "question", "topics"], noNullPrototype: true },
    );
    fc.assert(
      fc.property(fc.array(registration), (registrations) => {
        const kept = { waiting: registrations.map(pack) };
        expect(registrationsIn(JSON.parse(JSON.stringify(kept)))).toEqual(registrations);
      }),
    );
  });
});

describe("replies", () => {
  test("of one turn share frames of bounded length, and a longer one goes alone", async () => {
    const end = connect();
    state.body = `"${"x".repeat(400_000)}"`;
    send(end, ...Array.from({ length: 7 }, (_, id) => reading(id, `q${id}`, 0)));
    state.body = `"${"y".repeat(3_000_000)}"`;
    send(end, reading(7, "longer", 0), reading(8, "longer", 0));
    await settled();
    expect(end.answers.map(({ id }) => id)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
    const lengths = end.frames.map(({ length }) => length);
    expect(lengths.filter((length) => length > limits.frameLengthMax)).toHaveLength(2);
    expect(lengths).toHaveLength(6);
  });

  test("wait while the network takes no more, and a link that takes none is closed", async () => {
    const end = connect();
    end.bufferedBytes = limits.socketBufferBytesMax + 1;
    state.body = `"${"x".repeat(5_000_000)}"`;
    send(end, reading(1, "q", 0), reading(2, "q", 0));
    await time.pass(100);
    expect(end.frames).toEqual([]);
    end.bufferedBytes = 0;
    await time.pass(100);
    expect(end.answers.map(({ id }) => id)).toEqual([1, 2]);
    end.bufferedBytes = limits.socketBufferBytesMax + 1;
    for (let id = 3; id < 30 && end.closeCode === null; id++) send(end, reading(id, "q", 0));
    expect(end.closeCode).toBe(1013);
    await time.pass(100);
    expect(end.answers).toHaveLength(2);
  });

  test("to many who wait are sent in turns", async () => {
    const ends = Array.from({ length: 50 }, () => connect());
    state.body = `"${"x".repeat(1_000_000)}"`;
    for (const end of ends) send(end, reading(1, "q", 5));
    await changed("q:x");
    const served = ends.filter(({ answers }) => answers.length > 0).length;
    expect(served).toBeLessThan(10);
    await time.pass(20_000);
    for (const { answers } of ends) expect(answers).toHaveLength(1);
  });
});
