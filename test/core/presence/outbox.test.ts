// What a pool tells the leader: in lists, to whoever takes it, and until it was taken.

import { expect, test } from "vitest";

import type { MemberFact } from "../../../durable/leader/member-registration.ts";
import { NodeSql } from "../../../durable/platform/node/sql.ts";
import type { Answer, Objects } from "../../../durable/platform/platform.ts";
import { Outbox } from "../../../durable/presence/outbox.ts";

const fact = (n: number, status: MemberFact["status"] = "alive"): MemberFact => ({
  name: `host-${n}`,
  id: `id-${n}`,
  address: "10.0.0.1",
  status,
});

interface Call {
  to: string;
  facts: MemberFact[];
  answer(status: number): void;
}

function outbox(): { outbox: Outbox; calls: Call[]; failures: () => number } {
  const calls: Call[] = [];
  let failures = 0;
  const objects = {
    call: ({ name }: { name: string }, _path: string, body: string) =>
      new Promise<Answer>((resolve) => {
        const answer = (status: number): void => resolve({ status, body: "" });
        calls.push({ to: name, facts: JSON.parse(body) as MemberFact[], answer });
      }),
  } as unknown as Objects;
  const made = new Outbox({
    sql: new NodeSql(),
    objects,
    datacenter: "dc1",
    servers: 3,
    undelivered: () => {
      failures += 1;
    },
  });
  return { outbox: made, calls, failures: () => failures };
}

function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

test("a thousand members that join at once are two calls", async () => {
  const { outbox: made, calls } = outbox();
  let delivered = made.deliver();
  for (let n = 0; n < 1_000; n++) {
    made.put(fact(n));
    delivered = made.deliver();
  }
  for (let round = 0; !made.isEmpty && round < 10; round++) {
    calls.at(-1)?.answer(200);
    await turn();
  }
  await delivered;
  expect(calls.length).toBeLessThanOrEqual(2);
  expect(calls.flatMap(({ facts }) => facts)).toHaveLength(1_000);
});

test("one that no server takes stays, and is told again", async () => {
  const { outbox: made, calls, failures } = outbox();
  made.put(fact(1));
  const first = made.deliver();
  await turn();
  for (const n of [0, 1, 2]) {
    expect(calls[n]?.to).toBe(`dc1/server/${n}`);
    calls[n]?.answer(503);
    await turn();
  }
  await first;
  expect([failures(), made.isEmpty]).toEqual([1, false]);
  const second = made.deliver();
  await turn();
  calls[3]?.answer(200);
  await second;
  expect(made.isEmpty).toBe(true);
});

test("a fact that changes while the older one is under way is told, too", async () => {
  const { outbox: made, calls } = outbox();
  made.put(fact(1));
  const delivered = made.deliver();
  await turn();
  made.put(fact(1, "failed"));
  calls[0]?.answer(200);
  await turn();
  calls[1]?.answer(200);
  await delivered;
  expect(calls.map(({ facts }) => facts[0]?.status)).toEqual(["alive", "failed"]);
});

test("what is put right after a delivery found nothing left is delivered", async () => {
  const { outbox: made, calls } = outbox();
  made.put(fact(1));
  const delivered = made.deliver().then(async () => {
    made.put(fact(2));
    await made.deliver();
  });
  await turn();
  calls[0]?.answer(200);
  await turn();
  expect(calls[1]?.facts).toEqual([fact(2)]);
  calls[1]?.answer(200);
  await delivered;
  expect(made.isEmpty).toBe(true);
});
