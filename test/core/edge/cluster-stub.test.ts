// The Cluster port at the Worker, when servers hang, fail or are reset. Objects are fakes, time is virtual.

import { beforeEach, describe, expect, test } from "vitest";

import { StubCluster } from "../../../durable/edge/cluster-stub.ts";
import {
  type Answer,
  type ObjectAddress,
  ObjectExhausted,
  ObjectOverloaded,
  type Objects,
} from "../../../durable/platform/platform.ts";
import type { Command } from "../../../src/core/state/commands.ts";
import type { LinkSocket } from "../../../src/link/client.ts";
import {
  decodeRequests,
  encodeHello,
  encodeReplies,
  type LinkRequest,
} from "../../../src/link/protocol.ts";
import { VirtualTime } from "../../support/virtual-time.ts";

/** What a server does with a request or a socket. */
type Behaviour = "answers" | "hangs" | "fails" | "exhausted" | "overloaded" | "leaderless" | "mute";

let time: VirtualTime;
let behaviours: Behaviour[];
/** Number of the server and what it was asked, in order. */
let asked: string[];
let sockets: { closed: boolean }[];

const settings = { DEFAULT_DC: "dc1", DATACENTERS: { dc1: { servers: 3 }, dc2: { servers: 1 } } };
const write = { type: "kv.set", key: "a", value: "", flags: "0" } as Command & { type: "kv.set" };

beforeEach(() => {
  time = new VirtualTime();
  behaviours = ["answers", "answers", "answers"];
  asked = [];
  sockets = [];
});

function numberOf({ name }: ObjectAddress): number {
  return Number(name.split("/").at(-1));
}

function repliesTo(n: number, requests: readonly LinkRequest[]): string {
  return encodeReplies(
    requests.map(({ id }) => {
      if (behaviours[n] === "leaderless") {
        return { id, error: { code: "no-leader" as const, message: "No cluster leader" } };
      }
      if (requests.some((request) => !("read" in request))) return { id, value: "done" };
      return { id, index: 7, body: `"${n}"`, knownLeader: true, lastContactMs: 0 };
    }),
  );
}

function call(to: ObjectAddress, _path: string, body: Uint8Array | string): Promise<Answer> {
  const n = numberOf(to);
  asked.push(`${n}`);
  const behaviour = behaviours[n];
  if (behaviour === "fails") return Promise.reject(new Error("gone"));
  if (behaviour === "exhausted") {
    return Promise.reject(new ObjectExhausted("exceeded its memory limit"));
  }
  if (behaviour === "overloaded") return Promise.reject(new ObjectOverloaded("too many queued"));
  if (behaviour === "hangs") {
    return new Promise((_resolve, reject) => {
      time.timers.set(() => reject(new Error("no answer within 10000 ms")), 10_000);
    });
  }
  return Promise.resolve({ status: 200, body: repliesTo(n, decodeRequests(String(body))) });
}

function connect(to: ObjectAddress): Promise<LinkSocket> {
  const n = numberOf(to);
  asked.push(`socket ${n}`);
  if (behaviours[n] === "fails") return Promise.reject(new Error("gone"));
  let receive: (event: { data: unknown }) => void = () => undefined;
  const state = { closed: false };
  sockets.push(state);
  const socket: LinkSocket = {
    send: (frame) => {
      // The platform answers pings of an object that hangs.
      if (frame === "ping") return receive({ data: "pong" });
      if (behaviours[n] === "answers") receive({ data: repliesTo(n, decodeRequests(frame)) });
    },
    close: () => {
      state.closed = true;
    },
    accept: () => {
      const hello = { version: 1, incarnation: n + 1, reconnectSpreadMs: 5_000 };
      receive({ data: encodeHello({ ...hello, serverName: `s${n}`, servers: [] }) });
    },
    addEventListener: (type: string, listener: (event: never) => void) => {
      if (type === "message") receive = listener as typeof receive;
    },
  };
  if (behaviours[n] !== "hangs") return Promise.resolve(socket);
  return new Promise((resolve) => {
    time.timers.set(() => resolve(socket), 4_000);
  });
}

function clusterAt(home: number): StubCluster {
  const objects: Objects = {
    call,
    connect,
    post: () => Promise.reject(new Error("nothing here is asked by URL")),
    dial: () => Promise.reject(new Error("there is no network")),
    idOf: ({ name }) => Buffer.from(name).toString("hex").padEnd(64, "0"),
  };
  const { timers, nowMs } = time;
  return new StubCluster({ objects, timers, nowMs, random: () => 0.9, settings }, home);
}

/** What came of it, and after how many ms. */
async function outcome(work: Promise<unknown>): Promise<{ result: string; afterMs: number }> {
  const startMs = time.nowMs();
  const ended: { result: string; afterMs: number }[] = [];
  const note = (result: string): void => {
    ended.push({ result, afterMs: time.nowMs() - startMs });
  };
  void work.then(
    (reply) => note(typeof reply === "object" ? (reply as { body: string }).body : "done"),
    (failure: Error) => note(failure.message),
  );
  for (let step = 0; step < 300 && ended.length === 0; step++) await time.pass(100);
  const [end] = ended;
  if (!end) throw new Error("it never ended");
  return end;
}

const plain = (cluster: StubCluster) => cluster.read("kv.get", { key: "a" }, {});
const blocking = (cluster: StubCluster) =>
  cluster.read("kv.get", { key: "a" }, { minIndex: 3, waitMs: 60_000 });

describe("a plain read", () => {
  test("stays at its home server", async () => {
    expect((await outcome(plain(clusterAt(2)))).result).toBe('"2"');
    expect(asked).toEqual(["2"]);
  });

  test("goes to the next server when its own is silent, and soon", async () => {
    behaviours = ["hangs", "hangs", "answers"];
    const { result, afterMs } = await outcome(plain(clusterAt(0)));
    expect(result).toBe('"2"');
    expect(asked).toEqual(["0", "1", "2"]);
    expect(afterMs).toBeLessThanOrEqual(6_000);
  });

  test.each(["fails", "leaderless", "overloaded"] as const)(
    "goes on at once when one %s",
    async (behaviour) => {
      behaviours[0] = behaviour;
      const { result, afterMs } = await outcome(plain(clusterAt(0)));
      expect({ result, afterMs }).toEqual({ result: '"1"', afterMs: 0 });
    },
  );

  test("does not begin at a server that was silent a moment ago", async () => {
    behaviours[0] = "hangs";
    const cluster = clusterAt(0);
    await outcome(plain(cluster));
    asked = [];
    expect((await outcome(plain(cluster))).afterMs).toBe(0);
    expect(asked).toEqual(["1"]);
    behaviours[0] = "answers";
    await time.pass(20_000);
    asked = [];
    await outcome(plain(cluster));
    expect(asked).toEqual(["0"]);
  });

  test("that was too much for one object is not sent to the next one", async () => {
    behaviours[0] = "exhausted";
    expect((await outcome(plain(clusterAt(0)))).result).toMatch(/^The request takes more memory/);
    expect(asked).toEqual(["0"]);
  });

  test("ends when no server answers", async () => {
    behaviours = ["hangs", "fails", "leaderless"];
    const { result, afterMs } = await outcome(plain(clusterAt(0)));
    expect(result).toBe("No cluster leader");
    expect(afterMs).toBeLessThanOrEqual(10_000);
  });
});

test("a session is renewed at another server when its own is silent", async () => {
  behaviours[0] = "fails";
  await outcome(clusterAt(0).renewSession("x", {}));
  expect(asked).toEqual(["0", "1"]);
});

describe("a write", () => {
  test.each([
    ["hangs", "rpc error making call: EOF"],
    ["fails", "rpc error making call: EOF"],
    ["exhausted", "rpc error making call: EOF"],
    ["overloaded", "Too many requests wait for this server, try again later"],
    ["leaderless", "No cluster leader"],
  ] as const)("is sent to one server only, also when that %s", async (behaviour, text) => {
    behaviours[0] = behaviour;
    expect((await outcome(clusterAt(0).write(write, {}))).result).toBe(text);
    expect(asked).toEqual(["0"]);
  });

  test("begins at another server after its own was silent", async () => {
    behaviours[0] = "hangs";
    const cluster = clusterAt(0);
    await outcome(plain(cluster));
    asked = [];
    await outcome(cluster.write(write, {}));
    expect(asked).toEqual(["1"]);
  });
});

describe("a blocking read", () => {
  test.each(["hangs", "fails", "mute"] as const)(
    "goes to another server when its own %s, and soon",
    async (behaviour) => {
      behaviours[0] = behaviour;
      const { result, afterMs } = await outcome(blocking(clusterAt(0)));
      expect(result).toBe('"1"');
      expect(afterMs).toBeLessThanOrEqual(3_000);
    },
  );

  test("leaves no socket open, not even one that opened too late", async () => {
    behaviours[0] = "hangs";
    await outcome(blocking(clusterAt(0)));
    await time.pass(10_000);
    expect(sockets.map(({ closed }) => closed)).toEqual([true, true]);
  });
});

describe("with a token, in another datacenter", () => {
  let shown: string[];
  let isLocal: boolean;

  function cluster(): StubCluster {
    shown = [];
    const objects: Objects = {
      call: ({ name }, _path, body) => {
        const [dc = ""] = name.split("/");
        const [request] = decodeRequests(String(body)) as [LinkRequest & { token?: string }];
        shown.push(`${dc} ${request.token ?? "none"}`);
        const denied = { code: "permission-denied" as const, message: "ACL not found" };
        const isUnknown = dc === "dc2" && request.token !== undefined;
        const self = { id: 1, index: 7, body: JSON.stringify({ Local: isLocal }) };
        const known = { ...self, knownLeader: true, lastContactMs: 0 };
        const reply = isUnknown ? { id: 1, error: denied } : known;
        return Promise.resolve({ status: 200, body: encodeReplies([reply]) });
      },
      connect,
      post: () => Promise.reject(new Error("nothing here is asked by URL")),
      dial: () => Promise.reject(new Error("there is no network")),
      idOf: () => "0".repeat(64),
    };
    const { timers, nowMs } = time;
    return new StubCluster({ objects, timers, nowMs, random: () => 0.9, settings }, 0);
  }

  test("of this one alone, it is asked without any", async () => {
    isLocal = true;
    const read = cluster().read("kv.get", { key: "a" }, { dc: "dc2", token: "t" });
    expect((await outcome(read)).result).toBe('{"Local":true}');
    expect(shown).toEqual(["dc2 t", "dc1 t", "dc2 none"]);
  });

  test("that is unknown, or known here for all, it is refused", async () => {
    isLocal = false;
    const read = cluster().read("kv.get", { key: "a" }, { dc: "dc2", token: "t" });
    expect((await outcome(read)).result).toBe("rpc error making call: ACL not found");
    expect(shown).toEqual(["dc2 t", "dc1 t"]);
  });
});
