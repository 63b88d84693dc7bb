// What no peer and no agent would send: refused where it arrives, and the object goes on as if it
// had not been there.

import { beforeAll, describe, expect, test } from "vitest";

import { encodeMessages } from "../../durable/raft/peer-codec.ts";
import { encodeRequests, type LinkReply, type ReadAnswer } from "../../src/link/protocol.ts";
import { decodeServerFrame } from "../../src/link/server-frame.ts";
import { get, link, put, server, status, until } from "./datacenter.ts";

const malformedFrameCode = 1007;

beforeAll(async () => {
  await put(0, "a", "1");
});

/** What is left of a link: replies, and how it was closed. */
async function observed(n: number) {
  const socket = await link(n);
  const replies: LinkReply[] = [];
  const closes: number[] = [];
  socket.addEventListener("message", ({ data }) => {
    const frame = decodeServerFrame(data as string);
    if ("replies" in frame) replies.push(...frame.replies);
  });
  socket.addEventListener("close", ({ code }) => void closes.push(code));
  return { socket, replies, closes };
}

describe("on a link", () => {
  test.each([
    ["bytes", new Uint8Array([1, 2, 3])],
    ["nothing", ""],
    ["no JSON", "hello"],
    ["JSON that ends early", '[{"id":1,"status":true}'],
    ["no list", '{"id":1,"status":true}'],
    ["no request", "[null]"],
    ["a request without an id", '[{"status":true}]'],
    ["a question that nobody can ask", '[{"id":1,"ask":"me"}]'],
    ["one request of two", '[{"id":1,"status":true},{"id":2}]'],
    ["deep nesting", "[".repeat(100_000)],
  ])("%s closes it, and no other", async (_what, frame) => {
    const other = await observed(0);
    const read = { id: 7, read: "kv.get", args: { key: "a" } };
    const current = (await get(0, "a")) ?? "";
    other.socket.send(encodeRequests([read]));
    await until(async () => other.replies.length === 1);
    const { index: minIndex } = other.replies[0] as ReadAnswer;
    const waiting = { ...read, id: 8, minIndex };
    other.socket.send(encodeRequests([waiting]));
    await until(async () => other.replies.length === 2);

    const bad = await observed(0);
    // It waits for the same thing, so that what it leaves behind would show.
    bad.socket.send(encodeRequests([waiting]));
    await until(async () => bad.replies.length === 1);
    bad.socket.send(frame);
    await until(async () => bad.closes.length === 1);
    expect(bad.closes).toEqual([malformedFrameCode]);
    expect(bad.replies).toHaveLength(1);

    expect(await put(1, "a", `${current}.`)).toMatchObject({ value: true });
    await until(async () => other.replies.length === 3);
    expect(other.replies[2]).toMatchObject({ id: 8, body: expect.stringContaining("a") });
    expect(await get(0, "a")).toBe(`${current}.`);
    other.socket.send(encodeRequests([{ id: 9, status: true }]));
    await until(async () => other.replies.some(({ id }) => id === 9));
    expect(other.closes).toEqual([]);
  });

  test("a question that is well formed and foolish is answered", async () => {
    const { socket, replies, closes } = await observed(0);
    const foolish = [
      { id: 1, read: "no.such.read", args: {} },
      { id: 2, read: "constructor", args: {} },
      { id: 3, read: "kv.get", args: {} },
      { id: 4, write: { type: "no.such.command" } },
      { id: 5, write: { type: "kv.set" } },
      { id: 6, write: { type: "__proto__" } },
      { id: 7, renew: "no session" },
      { id: 8, cancel: true },
      { id: 9, read: "health.service", args: { service: 5 } },
    ];
    socket.send(JSON.stringify(foolish));
    await until(async () => replies.length >= foolish.length - 1);
    const answered = (id: number) => replies.find((reply) => reply.id === id);
    for (const id of [1, 2, 4, 5, 6, 7]) expect(answered(id), `${id}`).toHaveProperty("error");
    expect(closes).toEqual([]);
    expect(await put(1, "b", "1")).toMatchObject({ value: true });
  });
});

/** What a server says of itself, but for how long ago it heard from others. */
async function standing(): Promise<object> {
  const said = await status(0);
  return { ...said, lastContactMs: null };
}

describe("between peers", () => {
  async function raft(n: number, body: Uint8Array<ArrayBuffer>): Promise<number> {
    const response = await server(n).fetch("http://server/rpc/raft", { method: "POST", body });
    await response.arrayBuffer();
    return response.status;
  }

  test("an envelope that cannot be read is 400, and changes nothing", async () => {
    const before = await standing();
    const from = { from: "x", to: "y", term: 99, incarnation: 1 };
    const sound = encodeMessages([{ ...from, type: "probe", commit: 1 }]);
    const versioned = sound.slice();
    versioned[0] = 9;
    const text = new TextEncoder();
    const headed = (json: string): Uint8Array<ArrayBuffer> => {
      const header = text.encode(json);
      return Uint8Array.of(1, 0, 0, 0, header.length, ...header);
    };
    const entries = encodeMessages([
      {
        ...from,
        type: "append",
        prevIndex: 0,
        prevTerm: 0,
        entries: [{ index: 1, term: 1, kind: "noop", data: new Uint8Array() }],
        commit: 0,
        round: 1,
        standDown: false,
        compactable: 0,
      },
    ]);
    const badKind = entries.slice();
    badKind[badKind.length - 21] = 77;
    const malformed = {
      nothing: new Uint8Array(),
      short: sound.slice(0, 4),
      cut: sound.slice(0, -1),
      version: versioned,
      text: headed("{"),
      list: headed("{}"),
      message: headed("[null]"),
      type: headed('[{"from":"x","to":"y","term":1,"incarnation":1,"type":"toString"}]'),
      cutEntries: entries.slice(0, -1),
      badKind,
    };
    for (const [what, body] of Object.entries(malformed)) {
      expect(await raft(0, body), what).toBe(400);
    }
    expect(await raft(0, sound)).toBe(200);
    expect(await raft(0, encodeMessages([]))).toBe(200);
    expect(await standing()).toEqual(before);
    expect(await put(2, "a", "2")).toMatchObject({ value: true });
  });

  test("an operation that does not exist is 404", async () => {
    for (const op of ["", "nothing", "constructor", "__proto__"]) {
      const response = await server(0).fetch(`http://server/rpc/${op}`, { method: "POST" });
      expect([op, response.status]).toEqual([op, 404]);
    }
  });
});
