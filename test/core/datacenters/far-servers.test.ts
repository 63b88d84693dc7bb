// Servers of another datacenter over a network: who is asked in which order, what is never sent twice, and how long
// somebody waits for those who say nothing.

import { beforeEach, describe, expect, test } from "vitest";

import type { Directory } from "../../../durable/datacenters/directory.ts";
import { ServerCalls } from "../../../durable/datacenters/server-calls.ts";
import type { Answer, Objects } from "../../../durable/platform/platform.ts";
import { decodeRequests, encodeReplies, type LinkRequest } from "../../../src/link/protocol.ts";
import { VirtualTime } from "../../support/virtual-time.ts";

type Behaviour = "answers" | "silent" | "refuses the connection" | "breaks off" | "is starting";

let time: VirtualTime;
let behaviours: Behaviour[];
let asked: number[];
let calls: ServerCalls;

const read: LinkRequest = { id: 1, read: "kv.get", args: { key: "a" } };
const write: LinkRequest = {
  id: 1,
  write: { type: "kv.set", key: "a", value: "", flags: "0" },
};

async function post(url: string, body: string): Promise<Answer> {
  const n = Number(new URL(url).hostname.split(".")[3]);
  asked.push(n);
  const behaviour = behaviours[n];
  if (behaviour === "silent") return await new Promise(() => undefined);
  if (behaviour === "refuses the connection") {
    throw Object.assign(new Error("refused"), { code: "ECONNREFUSED" });
  }
  if (behaviour === "breaks off") throw Object.assign(new Error("reset"), { code: "ECONNRESET" });
  if (behaviour === "is starting") return { status: 503, body: "the servers are starting" };
  const replies = decodeRequests(body).map(({ id }) => ({ id, value: n }));
  return { status: 200, body: encodeReplies(replies) };
}

beforeEach(() => {
  time = new VirtualTime();
  asked = [];
  behaviours = ["answers", "answers", "answers"];
  const unused = (): Promise<never> => Promise.reject(new Error("not asked"));
  const objects: Objects = {
    ...{ call: unused, connect: unused, dial: unused, idOf: () => "" },
    post: async (url, _headers, body) => await post(url, String(body)),
  };
  const directory: Directory = {
    datacenters: () => ["dc1", "dc2"],
    secondaries: () => [],
    servers: () => behaviours.map((_, n) => ({ address: `10.0.0.${n}:8300` })),
  };
  const settings = { DEFAULT_DC: "dc1", DATACENTERS: {} };
  const { timers, nowMs } = time;
  calls = new ServerCalls({ objects, timers, nowMs, settings, random: () => 0 }, directory, 0);
});

/** What comes of a request, and after how many ms. */
async function ask(request: LinkRequest): Promise<[answer: unknown, afterMs: number]> {
  const beganMs = time.nowMs();
  const ended: unknown[] = [];
  calls.ask("dc2", request).then(
    (reply) => ended.push("value" in reply ? reply.value : reply),
    (failure: Error) => ended.push(failure.message),
  );
  for (let n = 0; n < 60 && ended.length === 0; n++) await time.pass(250);
  return [ended[0], time.nowMs() - beganMs];
}

describe("a read", () => {
  test.each(["refuses the connection", "breaks off", "is starting"] as const)(
    "goes to another server when one %s",
    async (behaviour) => {
      behaviours = [behaviour, behaviour, "answers"];
      expect((await ask(read))[0]).toBe(2);
      expect(asked).toEqual([0, 1, 2]);
    },
  );

  test("keeps to the server that answers, and passes over one that was silent", async () => {
    behaviours = ["silent", "answers", "answers"];
    expect(await ask(read)).toEqual([1, 2_000]);
    expect(await ask(read)).toEqual([1, 250]);
    expect(asked).toEqual([0, 1, 1]);
  });

  test("finds that nobody can be reached, or that those who can are not ready", async () => {
    behaviours = ["refuses the connection", "refuses the connection", "refuses the connection"];
    expect((await ask(read))[0]).toBe("No path to datacenter");
    behaviours = ["is starting", "is starting", "is starting"];
    await time.pass(6_000);
    expect((await ask(read))[0]).toBe("No cluster leader");
  });
});

describe("a write", () => {
  test("goes to another server only when one certainly did not hear of it", async () => {
    behaviours = ["refuses the connection", "answers", "answers"];
    expect((await ask(write))[0]).toBe(1);
    behaviours = ["answers", "breaks off", "answers"];
    asked = [];
    expect((await ask(write))[0]).toBe("rpc error making call: EOF");
    expect(asked).toEqual([1]);
  });

  test("whose server is silent is never sent again", async () => {
    behaviours = ["silent", "answers", "answers"];
    expect(await ask(write)).toEqual(["rpc error making call: EOF", 8_000]);
    expect(asked).toEqual([0]);
  });
});

describe("a datacenter that says nothing", () => {
  test("is waited for once; then there is no path at once, and one asker in a while finds out", async () => {
    behaviours = ["silent", "silent", "silent"];
    expect(await ask(read)).toEqual(["No path to datacenter", 8_000]);
    expect(await ask(write)).toEqual(["No path to datacenter", 250]);
    asked = [];
    await time.pass(5_000);
    const finding = calls.ask("dc2", read).catch((failure: Error) => failure.message);
    expect(await ask(read)).toEqual(["No path to datacenter", 250]);
    await time.pass(8_000);
    expect(await finding).toBe("No path to datacenter");
    expect(asked).toEqual([0, 1, 2]);
  });

  test("is asked as before when it answers again", async () => {
    behaviours = ["silent", "silent", "silent"];
    await ask(read);
    behaviours = ["answers", "answers", "answers"];
    expect((await ask(read))[0]).toBe("No path to datacenter");
    await time.pass(5_000);
    expect(await ask(read)).toEqual([0, 250]);
    expect(await ask(read)).toEqual([0, 250]);
  });
});
