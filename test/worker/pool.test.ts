// Who is alive: a pool of sockets, on a simulated clock. Verdicts survive sleep; sleep is no reason for one, nor for
// silence.

import {
  evictDurableObject,
  reset,
  runDurableObjectAlarm,
  runInDurableObject,
} from "cloudflare:test";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { deployedLiveness, silenceMs } from "../../src/core/gossip/liveness.ts";
import { decodePoolHello, memberRefusedCode, type ReadAnswer } from "../../src/link/protocol.ts";
import { ask, gossip, pool, put } from "./datacenter.ts";

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });
  await put(0, "warm", "up");
});

afterEach(async () => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  await reset();
});

async function join(n: number): Promise<WebSocket> {
  const id = `00000000-0000-0000-0000-00000000000${n}`;
  return await gossip({ name: `host-${n}`, id, address: `10.0.0.${n}` });
}

async function serfHealth(n: number): Promise<string | undefined> {
  const reply = await ask(0, { id: 1, read: "health.node", args: { node: `host-${n}` } });
  const checks = JSON.parse((reply as ReadAnswer).body ?? "[]") as { Status: string }[];
  return checks[0]?.Status;
}

/** Lets the pool sleep until its alarm, and fires it; pings count as answered by `alive`. */
async function sleepUntilAlarm(alive: (name: string) => boolean): Promise<void> {
  const atMs = await runInDurableObject(pool(), (_pool, state) => state.storage.getAlarm());
  expect(atMs).not.toBeNull();
  await evictDurableObject(pool(), { webSockets: "hibernate" });
  vi.setSystemTime(Math.max(Date.now(), atMs ?? 0));
  await runInDurableObject(pool(), (_pool, state) => {
    state.getWebSocketAutoResponseTimestamp = (socket) => {
      const { name, openedMs } = socket.deserializeAttachment() as {
        name: string;
        openedMs: number;
      };
      return new Date(alive(name) ? Date.now() : openedMs);
    };
  });
  await runDurableObjectAlarm(pool());
}

test("a member whose socket closes is called failed after the suspicion, though the pool slept", async () => {
  const [first] = [await join(1), await join(2), await join(3)];
  await vi.waitFor(async () => expect(await serfHealth(1)).toBe("passing"));
  first.close(1000);
  await vi.waitFor(async () => {
    const [row] = await runInDurableObject(pool(), (_pool, state) =>
      state.storage.sql.exec("SELECT verdict_ms FROM members WHERE name = 'host-1'").toArray(),
    );
    expect(row?.verdict_ms).not.toBeNull();
  });
  const lostMs = Date.now();
  for (let alarms = 0; alarms < 5 && (await serfHealth(1)) === "passing"; alarms++) {
    await sleepUntilAlarm(() => true);
  }
  expect(await serfHealth(1)).toBe("critical");
  expect(Date.now() - lostMs).toBeGreaterThanOrEqual(deployedLiveness.suspicionMs);
  expect(Date.now() - lostMs).toBeLessThanOrEqual(20_000);
  expect(await serfHealth(2)).toBe("passing");
  await join(1);
  await vi.waitFor(async () => expect(await serfHealth(1)).toBe("passing"));
});

test("a host that vanished without closing its socket is called failed within 60 s, after sleep, too", async () => {
  await Promise.all([join(1), join(2), join(3)]);
  await vi.waitFor(async () => expect(await serfHealth(1)).toBe("passing"));
  const vanishedMs = Date.now();
  for (let alarms = 0; alarms < 6 && (await serfHealth(1)) === "passing"; alarms++) {
    await sleepUntilAlarm((name) => name !== "host-1");
  }
  expect(await serfHealth(1)).toBe("critical");
  expect(Date.now() - vanishedMs).toBeLessThanOrEqual(60_000);
  expect(await serfHealth(2)).toBe("passing");
});

test("losing all sockets at once is no evidence: nobody is judged for a while", async () => {
  for (const n of [1, 2, 3, 4]) await join(n);
  await vi.waitFor(async () => expect(await serfHealth(4)).toBe("passing"));
  await evictDurableObject(pool(), { webSockets: "close" });
  // The next construction finds its members without sockets.
  await runInDurableObject(pool(), () => undefined);
  const lostMs = Date.now();
  for (const n of [1, 2, 3]) await join(n);
  for (let alarms = 0; alarms < 6 && (await serfHealth(4)) === "passing"; alarms++) {
    await sleepUntilAlarm(() => true);
  }
  expect(await serfHealth(4)).toBe("critical");
  expect(Date.now() - lostMs).toBeGreaterThanOrEqual(silenceMs(deployedLiveness, 4));
  for (const n of [1, 2, 3]) expect(await serfHealth(n)).toBe("passing");
});

test("a member whose name is taken does not keep others from being heard", async () => {
  const warned = vi.spyOn(console, "warn").mockReturnValue();
  await join(1);
  await vi.waitFor(async () => expect(await serfHealth(1)).toBe("passing"));
  await gossip({ name: "HOST-1", id: crypto.randomUUID(), address: "10.0.0.9" });
  await join(2);
  await vi.waitFor(async () => expect(await serfHealth(2)).toBe("passing"));
  expect(warned).toHaveBeenCalledWith(
    expect.stringMatching(/the catalog refuses a member: .*HOST-1/),
  );
});

test("a name that a live member has is refused to another id, until its socket is gone", async () => {
  const warned = vi.spyOn(console, "warn").mockReturnValue();
  const first = await join(1);
  await vi.waitFor(async () => expect(await serfHealth(1)).toBe("passing"));
  const other = { name: "host-1", id: crypto.randomUUID(), address: "10.0.0.9" };
  const url = `http://pool/gossip?member=${encodeURIComponent(JSON.stringify(other))}`;
  const ask = async (): Promise<WebSocket> => {
    const { webSocket } = await pool().fetch(url, { headers: { upgrade: "websocket" } });
    webSocket?.accept();
    return webSocket as WebSocket;
  };
  const closed = (socket: WebSocket): Promise<CloseEvent> =>
    new Promise((resolve) => socket.addEventListener("close", resolve));
  const refusal = await closed(await ask());
  expect(refusal.code).toBe(memberRefusedCode);
  expect(refusal.reason).toContain("is held by the live member with id 00000000-");
  expect(first.readyState).toBe(WebSocket.OPEN);
  // The same member may come back whenever it likes.
  const again = await join(1);
  again.close(1000, "gone");
  await vi.waitFor(async () => {
    const socket = await ask();
    socket.send("leave");
    const answer = await new Promise((resolve) => {
      socket.addEventListener("message", ({ data }) => {
        if (decodePoolHello(data) === null) resolve(data);
      });
      socket.addEventListener("close", ({ code }) => resolve(code));
    });
    expect(answer).toBe("left");
  });
  expect(warned).toHaveBeenCalledWith(expect.stringMatching(/refused .*: member name "host-1"/));
});
