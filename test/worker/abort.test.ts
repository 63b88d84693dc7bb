// An exception between taking what Raft wants done and telling it that it is done ends the object:
// memory must never outrun the disk. Here each of those steps throws once; nothing acknowledged may
// be lost, and whoever threw comes back from its disk and catches up.

import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { reset } from "cloudflare:test";

import { LinkServer } from "../../durable/link/links.ts";
import { RaftStorage } from "../../durable/raft/storage.ts";
import { ServerRequests } from "../../durable/server/requests.ts";
import { Raft } from "../../src/core/raft/raft.ts";
import { StateMachine } from "../../src/core/state/machine.ts";
import { get, put, status, until } from "./datacenter.ts";

const servers = [0, 1, 2];
let stopped: string[];

beforeEach(() => {
  stopped = [];
  vi.spyOn(console, "error").mockImplementation((text) => void stopped.push(String(text)));
});

afterEach(async () => {
  vi.restoreAllMocks();
  await reset();
});

/**
 * How each planned failure begins. workerd prints every object that ends with a stack of its own code, unless the text
 * begins with what the test pool says of its instances: a run that passes is to print no stack.
 */
const planned = "Instance disposed, as planned";

type Method = (...args: unknown[]) => unknown;

/** The next call of a method, in whichever server, throws; with `after`, when its work is done. */
function failOnce(
  target: object,
  name: string,
  options: { after?: boolean; when?: (argument: unknown) => boolean } = {},
): void {
  const methods = target as Record<string, Method>;
  const original = methods[name] as Method;
  let failed = false;
  vi.spyOn(methods, name).mockImplementation(function (this: unknown, ...args) {
    const due = !failed && (options.when?.(args[0]) ?? true);
    failed ||= due;
    if (due && options.after !== true) throw new Error(`${planned}: before ${name}`);
    const result = original.apply(this, args);
    if (due) throw new Error(`${planned}: after ${name}`);
    return result;
  });
}

async function accepted(n: number, key: string, value: string): Promise<boolean> {
  try {
    const reply = await put(n, key, value);
    return "value" in reply && reply.value === true;
  } catch {
    return false; // the object ended while it was asked: whether it was written is unknown
  }
}

async function allEqual(): Promise<void> {
  await until(async () => {
    const all = await Promise.all(servers.map((n) => status(n).catch(() => null)));
    return new Set(all.map((one) => one?.appliedIndex)).size === 1;
  });
}

const isFilled = (entries: unknown): boolean => (entries as unknown[]).length > 0;

/** Every step of a write, in the order in which whoever leads or follows takes them. */
test.each([
  ["before a command is proposed", Raft.prototype, "propose", {}],
  ["after a command is proposed", Raft.prototype, "propose", { after: true }],
  ["before what is to be done is taken", Raft.prototype, "takeReady", {}],
  ["after what is to be done is taken", Raft.prototype, "takeReady", { after: true }],
  ["before entries are written", RaftStorage.prototype, "append", { when: isFilled }],
  ["after entries are written", RaftStorage.prototype, "append", { when: isFilled, after: true }],
  ["before commands are applied", StateMachine.prototype, "applyBatch", {}],
  ["after commands are applied", StateMachine.prototype, "applyBatch", { after: true }],
  ["before Raft is told", Raft.prototype, "acknowledge", {}],
  ["after Raft is told", Raft.prototype, "acknowledge", { after: true }],
  ["before a follower's writes are settled", ServerRequests.prototype, "applied", {}],
  ["before whoever waits is told", LinkServer.prototype, "fire", {}],
  ["after whoever waits is told", LinkServer.prototype, "fire", { after: true }],
])("%s", async (_when, target, name, options) => {
  expect(await accepted(0, "before", "1")).toBe(true);
  await allEqual();
  failOnce(target, name, options);
  const acknowledged = await accepted(0, "during", "2");
  await until(async () => accepted(1, "after", "3"));
  expect(stopped).toHaveLength(1);
  expect(stopped[0]).toContain(planned);
  for (const n of servers) {
    expect(await get(n, "before", "consistent")).toBe("1");
    expect(await get(n, "after", "consistent")).toBe("3");
    const during = await get(n, "during", "consistent");
    expect(acknowledged ? ["2"] : ["2", null]).toContain(during);
  }
  await allEqual();
});

test.each([
  ["before", {}],
  ["after", { after: true }],
])("%s a vote or a term is written", async (_when, options) => {
  failOnce(RaftStorage.prototype, "saveHardState", options);
  await until(async () => accepted(0, "a", "1"));
  expect(stopped).toHaveLength(1);
  for (const n of servers) expect(await get(n, "a", "consistent")).toBe("1");
});

test("before the row that proves an instance the newest", async () => {
  expect(await accepted(0, "a", "1")).toBe(true);
  failOnce(RaftStorage.prototype, "fence");
  await expect(get(0, "a", "consistent")).rejects.toThrow(planned);
  expect(stopped).toHaveLength(1);
  expect(await get(0, "a", "consistent")).toBe("1");
});
