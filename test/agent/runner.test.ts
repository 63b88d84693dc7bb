import { createServer } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { CheckRunner, type Delay } from "../../src/agent/checks/runner.ts";
import type { Cluster, ReadOptions, ReadReply } from "../../src/ports/cluster.ts";
import type { LocalAgentState } from "../../src/core/agent/local-state.ts";
import { checkOf, newState, putCheck, putService, startMs } from "../core/agent/support.ts";

/** A clock that moves only when told: runs what is due in order. */
class ManualClock {
  #nowMs = 0;
  readonly #waiting = new Set<{ atMs: number; run: () => void }>();

  readonly delay: Delay = (delayMs, run) => {
    const entry = { atMs: this.#nowMs + delayMs, run };
    this.#waiting.add(entry);
    return () => this.#waiting.delete(entry);
  };

  get waiting(): number {
    return this.#waiting.size;
  }

  advance(ms: number): void {
    this.#nowMs += ms;
    for (const entry of this.#waiting) {
      if (entry.atMs > this.#nowMs) continue;
      this.#waiting.delete(entry);
      entry.run();
    }
  }
}

/** Resolves when the check says so. */
function becomes(state: LocalAgentState, id: string, status: string): Promise<void> {
  return new Promise((resolve) => {
    const look = (): void => {
      if (checkOf(state, id).status !== status) return;
      unsubscribe();
      resolve();
    };
    const unsubscribe = state.rows.subscribe(look);
    look();
  });
}

const noCluster = {} as Cluster;
let runner: CheckRunner | null = null;
let code = 200;
let hits = 0;
let wake = (): void => {};
const server = createServer((_request, response) => {
  hits++;
  response.writeHead(code).end();
  wake();
});
let url = "";

beforeEach(async () => {
  code = 200;
  hits = 0;
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
});
afterEach(async () => {
  runner?.stop();
  server.closeAllConnections();
  server.close();
  await once(server, "close");
});

/** Resolves at the next request that the target gets. */
function nextHit(): Promise<void> {
  return new Promise((resolve) => {
    wake = resolve;
  });
}

const reply = (body: unknown, index: number): ReadReply => ({
  index,
  knownLeader: true,
  lastContactMs: 0,
  body: JSON.stringify(body),
});

const checks = (status: string): unknown => [
  { CheckID: "c", Name: "c", Status: status, Output: "", ServiceID: "db" },
];

describe("the runner", () => {
  test("starts what is registered, runs it at its interval, and reports", async () => {
    const state = newState();
    const clock = new ManualClock();
    runner = new CheckRunner(state, noCluster, { delay: clock.delay });
    putService(state, { Name: "w", Check: { HTTP: url, Interval: "10s" } });
    await Promise.resolve();
    expect(clock.waiting).toBe(1);
    clock.advance(10_000);
    await becomes(state, "service:w", "passing");
    code = 500;
    clock.advance(9_999);
    expect(hits).toBe(1);
    clock.advance(1);
    await becomes(state, "service:w", "critical");
  });

  test("stops what is removed and restarts what is defined anew", async () => {
    const state = newState();
    const clock = new ManualClock();
    runner = new CheckRunner(state, noCluster, { delay: clock.delay });
    putCheck(state, { Name: "a", HTTP: url, Interval: "10s" });
    putCheck(state, { Name: "b", HTTP: url, Interval: "10s" });
    await Promise.resolve();
    expect(clock.waiting).toBe(2);
    state.deregisterCheck("a", startMs);
    putCheck(state, { Name: "b", TTL: "10s" });
    await Promise.resolve();
    expect(clock.waiting).toBe(0);
    runner.stop();
    putCheck(state, { Name: "c", HTTP: url, Interval: "10s" });
    await Promise.resolve();
    expect(clock.waiting).toBe(0);
  });

  test("publishes failures only when there are enough of them", async () => {
    const state = newState();
    const clock = new ManualClock();
    runner = new CheckRunner(state, noCluster, { delay: clock.delay });
    putCheck(state, { Name: "a", HTTP: url, Interval: "1s", FailuresBeforeCritical: 2 });
    await Promise.resolve();
    clock.advance(1_000);
    await becomes(state, "a", "passing");
    code = 500;
    const firstFailure = nextHit();
    clock.advance(1_000);
    await firstFailure;
    expect(checkOf(state, "a").status).toBe("passing");
    // The answer is still on its way; the next run is scheduled only after it.
    while (clock.waiting === 0) await new Promise((resolve) => setImmediate(resolve));
    expect(checkOf(state, "a").status).toBe("passing");
    clock.advance(1_000);
    await becomes(state, "a", "critical");
  });

  test("follows an alias of another node in the catalog", async () => {
    const state = newState();
    const reads: ReadOptions[] = [];
    const answers: ((status: string) => void)[] = [];
    const cluster = {
      read: (op: string, _args: object, options: ReadOptions): Promise<ReadReply> => {
        if (op === "catalog.node-services") {
          return Promise.resolve(reply({ Services: [{ ID: "db" }] }, 5));
        }
        reads.push(options);
        if (options.minIndex === undefined) return Promise.resolve(reply(checks("passing"), 5));
        return new Promise((resolve) => {
          answers.push((status) => resolve(reply(checks(status), 6)));
        });
      },
    } as unknown as Cluster;
    runner = new CheckRunner(state, cluster);
    putCheck(state, { Name: "al", AliasNode: "other", AliasService: "db" });
    await becomes(state, "al", "passing");
    while (reads.length < 2) await new Promise((resolve) => setImmediate(resolve));
    expect(reads[1]?.minIndex).toBe(5);
    answers[0]?.("critical");
    await becomes(state, "al", "critical");
    expect(checkOf(state, "al").output).toBe('Aliased check "c" failing: ');
  });
});
