// What a server does with a write whose outcome cannot be told: say so, and never propose it a second time.

import { expect, test } from "vitest";

import type { RaftDriver } from "../../../durable/raft/driver.ts";
import { NotLeader, OutcomeUnknown } from "../../../durable/raft/outcome.ts";
import { noOperatorFiles } from "../../../durable/platform/platform.ts";
import { AclReset } from "../../../durable/server/acl-reset.ts";
import { type RequestParts, ServerRequests } from "../../../durable/server/requests.ts";
import type { Raft } from "../../../src/core/raft/raft.ts";
import type { CommandOutcome } from "../../../src/core/state/commands.ts";
import { StateMachine } from "../../../src/core/state/machine.ts";
import { NodeSql } from "../../../durable/platform/node/sql.ts";
import { VirtualTime } from "../../support/virtual-time.ts";

const applied: CommandOutcome = { ok: true, value: true };
const request = { id: 1, write: { type: "kv.set", key: "a", value: "", flags: "0" } } as const;

/** A leader whose proposals come to what `propose` says, in turn. */
class Leading {
  readonly time = new VirtualTime();
  proposals = 0;
  readonly requests: ServerRequests;

  constructor(...fates: (() => Promise<CommandOutcome>)[]) {
    const raft = { role: "leader", term: 1, leaderUnreachable: () => undefined };
    const driver = {
      propose: () => {
        this.proposals += 1;
        return (fates[this.proposals - 1] ?? (() => Promise.resolve(applied)))();
      },
    };
    this.requests = new ServerRequests({
      raft: raft as unknown as Raft,
      driver: driver as unknown as RaftDriver,
      machine: new StateMachine(new NodeSql(), { datacenter: "dc1" }),
      aclReset: new AclReset(noOperatorFiles),
      timers: this.time.timers,
      nowMs: this.time.nowMs,
      datacenter: "dc1",
      telemetry: { applied: () => undefined },
      origin: "a",
    } as unknown as RequestParts);
  }

  /** What the write came to, after so long. */
  async outcomeAfter(durationMs: number): Promise<unknown> {
    let outcome: unknown = "pending";
    void this.requests.write(request).then(
      (value) => (outcome = value),
      (failure: { code: string; message: string }) =>
        (outcome = `${failure.code}: ${failure.message}`),
    );
    await this.time.pass(durationMs);
    return outcome;
  }
}

test("a write that was abandoned is reported as such, and proposed once", async () => {
  const leading = new Leading(() => Promise.reject(new OutcomeUnknown("leadership lost")));
  expect(await leading.outcomeAfter(20_000)).toBe(
    "unknown-outcome: rpc error making call: leadership lost",
  );
  expect(leading.proposals).toBe(1);
});

test("a write that is neither committed nor lost within 7 s is given up, and proposed once", async () => {
  const leading = new Leading(() => new Promise(() => undefined));
  expect(await leading.outcomeAfter(6_900)).toBe("pending");
  const late = new Leading(() => new Promise(() => undefined));
  expect(await late.outcomeAfter(20_000)).toBe("unknown-outcome: rpc error making call: EOF");
  expect([leading.proposals, late.proposals]).toEqual([1, 1]);
});

test("a write that certainly was not accepted is proposed again", async () => {
  const leading = new Leading(() => Promise.reject(new NotLeader("leadership was lost")));
  expect(await leading.outcomeAfter(1_000)).toBe(true);
  expect(leading.proposals).toBe(2);
});

test("a forwarded write that was abandoned is said to be unknown, not refused", async () => {
  const leading = new Leading(() => Promise.reject(new OutcomeUnknown("leadership lost")));
  const batch = { term: 1, origin: "b", writes: [{ sequence: 1, request }] };
  expect(await leading.requests.takeForwarded(batch)).toEqual([{ unknown: true }]);
});
