// The link's frames, nearly right and not, at both of its ends. A server closes the link or answers each request, and
// goes on for everybody else; an agent leaves a server that says what no server says, and goes on with the next one.

import * as fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";

import { LinkClient, type LinkSocket } from "../../src/link/client.ts";
import {
  decodePoolEvents,
  decodePoolHello,
  decodeRequests,
  encodeHello,
  encodeReplies,
  type Hello,
  type LinkReply,
} from "../../src/link/protocol.ts";
import { decodeServerFrame } from "../../src/link/server-frame.ts";
import { areas } from "../../src/core/state/tables/index.ts";
import { loadAgentConfig } from "../../src/agent/config/load.ts";
import type { Servers } from "../../src/agent/servers/options.ts";
import { TlsMaterial } from "../../src/agent/tls/material.ts";
import { startServers } from "../../src/agent/servers/servers.ts";
import { freePorts } from "../support/free-ports.ts";
import { eventually } from "../support/eventually.ts";
import { damaged, fuzz, limitMs } from "../support/fuzz.ts";
import { settled, VirtualTime } from "../support/virtual-time.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** The same text with a few of its bytes changed. */
function damagedText(texts: fc.Arbitrary<string>): fc.Arbitrary<string> {
  const bytes = texts.map((text) => encoder.encode(text));
  return damaged(bytes).map((given) => decoder.decode(given));
}

let servers: Servers;
let link: Link;
const errors: string[] = [];

beforeAll(async () => {
  const [server = 0, serf = 0] = await freePorts(2);
  const ports = ["-server-port", `${server}`, "-serf-lan-port", `${serf}`];
  const log = {
    ...{ debug: () => undefined, info: () => undefined, warn: () => undefined },
    error: (_part: string, line: string) => void errors.push(line),
  };
  const config = loadAgentConfig(["-dev", ...ports]);
  servers = await startServers(config, log, {
    tls: new TlsMaterial(config),
    keyring: { keys: [] },
    mesh: null,
    autoEncrypt: null,
  });
  link = await Link.open();
  await eventually(async () => JSON.stringify(await link.status()).includes('"value"'), {
    what: "it answers",
  });
});
afterAll(() => servers.stop());

/** One link to the server, and all that it says. */
class Link {
  readonly accidents: string[] = [];
  readonly #socket: LinkSocket;
  #nextId = 1_000_000;
  #isClosed = false;
  #awaited: { id: number; resolve(reply: LinkReply | null): void } | null = null;

  private constructor(socket: LinkSocket, greeted: () => void) {
    this.#socket = socket;
    socket.addEventListener("message", ({ data }) => {
      const frame = decodeServerFrame(String(data));
      if ("hello" in frame) greeted();
      else for (const reply of frame.replies) this.#heard(reply);
    });
    socket.addEventListener("close", () => {
      this.#isClosed = true;
      this.#awaited?.resolve(null);
    });
    socket.accept?.();
  }

  static async open(): Promise<Link> {
    const greeted = Promise.withResolvers<void>();
    const opened = new Link(await servers.dial("/link"), greeted.resolve);
    await greeted.promise;
    return opened;
  }

  send(frame: string): void {
    this.#socket.send(frame);
  }

  /** Null when the server has closed the link. */
  async status(): Promise<LinkReply | null> {
    if (this.#isClosed) return null;
    const id = this.#nextId++;
    return await new Promise((resolve) => {
      this.#awaited = { id, resolve };
      this.send(JSON.stringify([{ id, status: true }]));
    });
  }

  #heard(reply: LinkReply): void {
    const isOfRead = reply.id >= readIds;
    if (!isOfRead && "error" in reply && reply.error.code === "internal")
      this.accidents.push(reply.error.message);
    if (this.#awaited?.id === reply.id) this.#awaited.resolve(reply);
  }
}

const reads = areas.flatMap((area) => Object.keys(area.reads));
const commands = areas.flatMap((area) => Object.keys(area.commands));

const leaf = fc.oneof(
  fc.constantFrom<unknown>(null, true, 0, -1, 2 ** 53, "", "a", "web", "self", [], {}, "\0", "é"),
  fc.string({ maxLength: 8 }),
);
const member = fc.constantFrom(
  ...["key", "value", "prefix", "node", "service", "tags", "name", "kind", "query", "session"],
  ...[
    "registration",
    "operations",
    "id",
    "token",
    "policy",
    "seed",
    "ip",
    "agent",
    "type",
    "flags",
  ],
  ...["address", "near", "filter", "entry", "checkId", "state", "separator", "index", "Node", "ID"],
  "constructor",
);
const { body } = fc.letrec<{ body: unknown; object: Record<string, unknown> }>((tie) => ({
  body: fc.oneof({ maxDepth: 3 }, leaf, tie("object"), fc.array(tie("body"), { maxLength: 2 })),
  object: fc.dictionary(member, tie("body"), { maxKeys: 6, noNullPrototype: true }),
}));
const object = fc.dictionary(member, body, { maxKeys: 5, noNullPrototype: true });
const id = fc.oneof({ weight: 9, arbitrary: fc.nat({ max: 999 }) }, { weight: 1, arbitrary: leaf });
const surroundings = fc.record(
  {
    consistency: fc.constantFrom("default", "consistent", "stale", "odd", 1),
    minIndex: fc.constantFrom(0, 1, 10, -1, 1e300, "1"),
    maxStaleMs: fc.constantFrom(0, 1, "x"),
    follows: fc.constantFrom(true, 1),
    token: fc.oneof(fc.constantFrom("", "anonymous"), leaf),
    dc: fc.oneof(fc.constantFrom("", "dc1", "dc2"), leaf),
  },
  { requiredKeys: [] },
);
const asked: fc.Arbitrary<object> = fc.oneof(
  fc.record({ read: fc.constantFrom(...reads, "no.such", "__proto__"), args: object }),
  fc
    .tuple(fc.constantFrom(...commands, "no.such", "__proto__"), object)
    .map(([type, fields]) => ({ write: { ...fields, type } })),
  fc.record({ renew: fc.oneof(fc.string({ maxLength: 8 }), leaf) }),
  fc.record({ cancel: fc.constant(true) }),
  fc.record({ status: fc.constant(true), metrics: leaf }, { requiredKeys: ["status"] }),
  fc.record({ servers: fc.constantFrom("leader", "any", "none") }),
  fc.record({ sign: fc.string({ maxLength: 20 }) }),
  fc.record({ configureCa: object }),
  fc.record({ fire: object }),
  fc.record({ login: object }),
  fc.record({ authMethod: object }),
  fc.record({
    archive: fc.record({
      do: fc.constantFrom("permit", "measure", "read", "close", 1),
      of: leaf,
      piece: leaf,
    }),
  }),
);
/** Only agents that know a read ask it: its arguments are looked at where they are used, and errors are answers. */
const readIds = 2_000;
const request = fc.tuple(id, asked, surroundings).map(([number, one, around]) => {
  const isRead = "read" in one && typeof number === "number";
  return { ...around, ...one, id: isRead ? readIds + number : number };
});
const requests = fc.array(request, { maxLength: 4 }).map((list) => JSON.stringify(list));
const frame = fc.oneof(
  { weight: 6, arbitrary: requests },
  { weight: 2, arbitrary: damagedText(requests) },
  { weight: 1, arbitrary: fc.oneof(fc.string({ maxLength: 40 }), fc.json()) },
  { weight: 1, arbitrary: fc.constantFrom("[".repeat(20_000), `[${'{"a":'.repeat(2_000)}`) },
);

test("at the server", { timeout: limitMs }, async () => {
  await fuzz(
    "link at the server",
    fc.array(frame, { minLength: 1, maxLength: 3 }),
    async (frames) => {
      const { accidents } = link;
      for (const one of frames) link.send(one);
      if ((await link.status()) === null) {
        link = await Link.open();
        expect(await link.status()).toHaveProperty("value");
      }
      expect(accidents.splice(0)).toEqual([]);
      expect(errors).toEqual([]);
    },
  );
});

const text = fc.string({ maxLength: 10 });
const hello: fc.Arbitrary<Hello> = fc.record({
  ...{ version: fc.nat(), incarnation: fc.nat({ max: 3 }), serverName: text },
  servers: fc.array(text, { maxLength: 2 }),
  reconnectSpreadMs: fc.nat({ max: 5 }),
});
const replyId = fc.nat({ max: 40 });
const reply = fc.oneof(
  fc.record({
    ...{ id: replyId, index: fc.nat(), knownLeader: fc.boolean(), lastContactMs: fc.nat() },
    body: fc.option(text),
  }),
  fc.record({ id: replyId, value: leaf }),
  fc.record({
    id: replyId,
    error: fc.record({ code: fc.constantFrom("no-leader", "internal"), message: text }),
  }),
) as fc.Arbitrary<LinkReply>;
const sound = fc.oneof(
  hello.map(encodeHello),
  fc.array(reply, { maxLength: 4 }).map(encodeReplies),
);
const said = fc.oneof(sound, damagedText(sound), fc.json(), text, fc.constantFrom("pong", "null"));

/** A server that says what it is told to, until it is asked to behave. */
class Talker {
  readonly #listeners: Record<string, (event: { data: unknown }) => void> = {};
  behaves = false;

  socket(): LinkSocket {
    return {
      send: (asks) => this.#answer(asks),
      close: () => undefined,
      addEventListener: (type: string, listener: (event: never) => void) => {
        this.#listeners[type] = listener as never;
      },
    };
  }

  say(data: unknown): void {
    this.#listeners["message"]?.({ data });
  }

  #answer(asks: string): void {
    if (!this.behaves || !asks.startsWith("[")) return;
    const replies = decodeRequests(asks).map((one): LinkReply => ({ id: one.id, value: "done" }));
    this.say(encodeReplies(replies));
  }
}

test("at the agent", { timeout: limitMs }, async () => {
  await fuzz(
    "link at the agent",
    fc.array(said, { minLength: 1, maxLength: 8 }),
    async (frames) => {
      const time = new VirtualTime();
      const talkers: Talker[] = [];
      const client = new LinkClient({
        ...{ timers: time.timers, nowMs: time.nowMs, holdMs: 7_000, requestMs: 10_000 },
        ...{ frameGapMs: 1, liveness: null, random: () => 0 },
        schedule: (flush) => queueMicrotask(flush),
        connect: () => {
          const talker = new Talker();
          talkers.push(talker);
          return Promise.resolve(talker.socket());
        },
      });
      await client.start();
      const question = client.ask({ status: true }).catch((failure: unknown) => failure);
      for (const one of frames) {
        talkers.at(-1)?.say(one);
        await settled();
      }
      await time.pass(20_000);
      await question;
      for (const talker of talkers) talker.behaves = true;
      const answered = client.ask({ status: true });
      await time.pass(1_000);
      expect(await answered).toMatchObject({ value: "done" });
      client.stop();
    },
  );
});

test("of a pool, at the agent", { timeout: limitMs }, async () => {
  const event = fc.record(
    { ID: leaf, Name: leaf, LTime: leaf, Payload: leaf, Version: leaf },
    { requiredKeys: [] },
  );
  const pool = fc.oneof(
    fc.record({ hello: fc.oneof(object, leaf) }).map((one) => JSON.stringify(one)),
    fc
      .record({ events: fc.oneof(fc.array(event, { maxLength: 3 }), leaf) })
      .map((one) => JSON.stringify(one)),
  );
  const frames = fc.oneof<fc.Arbitrary<unknown>[]>(pool, damagedText(pool), leaf);
  await fuzz("frames of a pool", frames, async (one) => {
    const told = decodePoolHello(one);
    if (told) expect([told.clock, told.reconnectSpreadMs].every(Number.isSafeInteger)).toBe(true);
    expect(decodePoolEvents(one) ?? []).toBeInstanceOf(Array);
    await Promise.resolve();
  });
});
