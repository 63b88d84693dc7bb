// DNS on streams, with real sockets: many questions at once, half-closed connections, and what a client can make the
// agent hold.

import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { afterEach, expect, test } from "vitest";

import { type AnswerStream, DnsStreams, streamLimits } from "../../src/agent/dns/streams.ts";
import { eventually } from "../support/eventually.ts";
import { framed, idOf } from "../support/dns-wire.ts";

let server: Server;
let streams: DnsStreams;
const clients: Socket[] = [];

afterEach(() => {
  for (const client of clients.splice(0)) client.destroy();
  streams.close();
  server.close();
});

async function listen(answer: AnswerStream, limits: Partial<typeof streamLimits> = {}) {
  streams = new DnsStreams(answer, { ...streamLimits, ...limits });
  server = createServer({ allowHalfOpen: true }, (socket) => {
    if (streams.admit(socket)) streams.serve(socket);
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
}

async function client(): Promise<Socket> {
  const { port } = server.address() as { port: number };
  const socket = connect(port, "127.0.0.1");
  clients.push(socket);
  socket.on("error", () => undefined);
  await once(socket, "connect");
  return socket;
}

function message(id: number, bytes = 12): Buffer {
  const made = Buffer.alloc(bytes);
  made.writeUInt16BE(id);
  return made;
}

/** Ids of all answers until the server closes. */
async function idsUntilEnd(socket: Socket): Promise<number[]> {
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk as Buffer);
  const bytes = Buffer.concat(chunks);
  const ids: number[] = [];
  for (let at = 0; at < bytes.length; at += 2 + bytes.readUInt16BE(at)) {
    ids.push(idOf(bytes.subarray(at + 2)));
  }
  return ids;
}

const echo: AnswerStream = (asked) => Promise.resolve(asked);

test("a thousand questions in one write, and no more said: all are answered, then it closes", async () => {
  await listen(echo, { queriesMax: 8 });
  const socket = await client();
  const ids = Array.from({ length: 1_000 }, (_, id) => id);
  socket.end(Buffer.concat(ids.map((id) => framed(message(id)))));
  expect((await idsUntilEnd(socket)).toSorted((a, b) => a - b)).toEqual(ids);
});

test("a question that comes byte by byte is one question", async () => {
  await listen(echo);
  const socket = await client();
  socket.setNoDelay(true);
  for (const byte of framed(message(7))) {
    socket.write(Buffer.of(byte));
    await new Promise(setImmediate);
  }
  socket.end();
  expect(await idsUntilEnd(socket)).toEqual([7]);
});

test("answers overtake each other, and none is missing", async () => {
  const slow = Promise.withResolvers<void>();
  await listen(async (asked) => {
    if (idOf(Buffer.from(asked)) === 1) await slow.promise;
    else slow.resolve();
    return asked;
  });
  const socket = await client();
  socket.end(Buffer.concat([framed(message(1)), framed(message(2))]));
  expect(await idsUntilEnd(socket)).toEqual([2, 1]);
});

test("no more are answered at once than may be", async () => {
  const asked: (() => void)[] = [];
  await listen((one) => new Promise((resolve) => asked.push(() => resolve(one))), {
    queriesMax: 4,
  });
  const socket = await client();
  socket.end(Buffer.concat(Array.from({ length: 9 }, (_, id) => framed(message(id)))));
  const ids = idsUntilEnd(socket);
  const most: number[] = [];
  for (let answered = 0; answered < 9;) {
    await eventually(() => asked.length > 0, { what: "it is asked" });
    most.push(asked.length);
    answered += asked.length;
    for (const answer of asked.splice(0)) answer();
  }
  expect(Math.max(...most)).toBe(4);
  expect(await ids).toHaveLength(9);
});

test("who does not read its answers is not asked for more questions", async () => {
  let answered = 0;
  const large = Buffer.alloc(60_000);
  const limits = { unsentBytesMax: 200_000, queriesMax: 4 };
  await listen(() => {
    answered += 1;
    return Promise.resolve(large);
  }, limits);
  const socket = await client();
  socket.pause();
  const questions = 2_000;
  socket.write(Buffer.concat(Array.from({ length: questions }, (_, id) => framed(message(id)))));
  let before = -1;
  await eventually(
    () => {
      const isStill = answered > 0 && answered === before;
      before = answered;
      return isStill;
    },
    { what: "it stops" },
  );
  expect(answered).toBeLessThan(questions);
});

test("no more connections than may be, of one client or of all", async () => {
  await listen(echo, { connectionsPerClientMax: 3 });
  const open = [await client(), await client(), await client()];
  const refused = await client();
  await once(refused, "close");
  open[0]?.destroy();
  await eventually(() => streams.size === 2, { what: "its place is free" });
  const socket = await client();
  socket.end(framed(message(9)));
  expect(await idsUntilEnd(socket)).toEqual([9]);
});

test("who says nothing is closed", async () => {
  await listen(echo, { idleMs: 30 });
  const socket = await client();
  socket.write(Buffer.of(0, 200, 1));
  await once(socket, "close");
});
