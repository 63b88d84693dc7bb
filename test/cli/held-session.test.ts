// A session that a command holds: renewed in time, and given up when its TTL may be over, also while the agent hangs.

import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { type Api, ResponseError } from "../../src/cli/api.ts";
import { HeldSession } from "../../src/cli/held-session.ts";

type Put = Api["put"];

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Whoever is asked, how it answers a renewal, and whether the session was lost. */
async function held(renewal: Put) {
  const asked: string[] = [];
  const put: Put = async (path, options) => {
    asked.push(path);
    if (path.endsWith("/create")) return { json: () => ({ ID: "s" }) } as never;
    return await renewal(path, options);
  };
  const lost = vi.fn<() => void>();
  const session = await HeldSession.create({ put } as Api, { Name: "test" }, lost);
  const renewals = () => asked.filter((path) => path.includes("/renew/")).length;
  return { session, lost, asked, renewals };
}

/** Answers nothing before it is given up. */
const hangs: Put = async (_path, options) =>
  await new Promise((_resolve, reject) => {
    options?.signal?.addEventListener("abort", () => reject(new Error("given up")));
  });

test("is renewed twice in each TTL", async () => {
  const { lost, renewals } = await held(async () => ({}) as never);
  await vi.advanceTimersByTimeAsync(61_000);
  expect(renewals()).toBe(8);
  expect(lost).not.toHaveBeenCalled();
});

test("is lost when the servers say so", async () => {
  const { lost } = await held(async () => {
    throw new ResponseError(404, "");
  });
  await vi.advanceTimersByTimeAsync(7_500);
  expect(lost).toHaveBeenCalledTimes(1);
});

test.each([
  ["hangs", hangs],
  [
    "cannot be reached",
    async () => {
      throw new Error("connection refused");
    },
  ],
] as [string, Put][])("is lost at the end of its TTL when the agent %s", async (_what, renewal) => {
  const { lost, renewals } = await held(renewal);
  await vi.advanceTimersByTimeAsync(14_999);
  expect(renewals()).toBeGreaterThan(1);
  expect(lost).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(1);
  expect(lost).toHaveBeenCalledTimes(1);
  const before = renewals();
  await vi.advanceTimersByTimeAsync(60_000);
  expect([renewals(), lost.mock.calls.length]).toEqual([before, 1]);
});

test("an outage shorter than the TTL does no harm", async () => {
  let isDown = true;
  const { lost } = await held(async (path, options) =>
    isDown ? await hangs(path, options) : ({} as never),
  );
  await vi.advanceTimersByTimeAsync(12_000);
  isDown = false;
  await vi.advanceTimersByTimeAsync(60_000);
  expect(lost).not.toHaveBeenCalled();
});

test("ends with the command, however long the agent hangs", async () => {
  const { session, lost, asked } = await held(hangs);
  const ended = vi.fn<() => void>();
  void session.destroy().then(ended);
  await vi.advanceTimersByTimeAsync(2_500);
  expect(ended).toHaveBeenCalledTimes(1);
  expect(asked.at(-1)).toBe("/v1/session/destroy/s");
  await vi.advanceTimersByTimeAsync(60_000);
  expect(lost).not.toHaveBeenCalled();
});
