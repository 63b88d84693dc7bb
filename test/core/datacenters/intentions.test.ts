// Intentions in a secondary datacenter: where Connect is enabled they are the primary's.

import { beforeEach, expect, test } from "vitest";

import { ReplicationSource } from "../../../durable/datacenters/replication-source.ts";
import { Replicator, type ReplicatorParts } from "../../../durable/datacenters/replicator.ts";
import type { Command } from "../../../src/core/state/commands.ts";
import { MemoryCluster } from "../../support/memory-cluster.ts";

const acl = { defaultPolicy: "allow", keyListPolicy: false } as const;
const clock = { handle: () => undefined, set: () => undefined, clear: () => undefined };

let near: MemoryCluster;
let far: MemoryCluster;
let source: ReplicationSource;

function id(n: number): string {
  return `00000000-0000-4000-8000-${String(n).padStart(12, "0")}`;
}

function federated(connect: object | null): void {
  const enabled = connect && { connect };
  near = new MemoryCluster({ datacenter: "dc1", acl, ...enabled });
  far = new MemoryCluster({ datacenter: "dc2", acl: { ...acl, primary: "dc1" }, ...enabled });
  far.others.set("dc1", near);
  source = new ReplicationSource({
    ...{ sql: near.sql, machine: near.machine, clock, nowMs: Date.now, warn: () => undefined },
    ...{ secondaries: () => [], leads: () => true, waitUntil: () => undefined },
    tell: () => Promise.resolve(),
  });
}

beforeEach(() => federated({}));

function replicator(more: Partial<ReplicatorParts> = {}): Replicator {
  return new Replicator({
    ...{ machine: far.machine, clock, nowMs: Date.now, warn: () => undefined, primary: "dc1" },
    ...{ hasConnect: true, leads: () => true, write: (command) => far.writeOwn(command) },
    ask: (question) => Promise.resolve(question).then((asked) => source.answer(asked)),
    ...more,
  });
}

function create(source: string, action: string, n: number): Command {
  const pair = { SourceNS: "", SourceName: source, DestinationNS: "", DestinationName: "db" };
  const rest = { ID: "", Description: "", DefaultAddr: "", DefaultPort: 0, Meta: null };
  const intention = { ...rest, ...pair, SourceType: "", Action: action };
  return { type: "intention.create", id: id(n), intention };
}

async function listed(cluster: MemoryCluster): Promise<string> {
  const { body } = await cluster.read("intention.list", { filter: "" }, {});
  return (body ?? "").replaceAll(/,"(Create|Modify)Index":\d+/g, "");
}

async function makeAt(cluster: MemoryCluster, command: Command): Promise<void> {
  await cluster.writeOwn(cluster.machine.admit(command, { isOwn: true }));
}

test("they are copied with ids and times, and what the secondary had for a pair goes", async () => {
  await makeAt(far, create("web", "allow", 90));
  await makeAt(far, create("api", "allow", 91));
  await makeAt(near, create("web", "deny", 10));
  await replicator().pull({ all: false });
  expect(await listed(far)).toBe(await listed(near));
  expect(await listed(far)).toContain('"Action":"deny"');
  await near.write({ type: "intention.delete", id: id(10) }, {});
  await replicator().pull({ all: false });
  expect(await listed(far)).toBe("[]");
});

test("what is written in the secondary is written in the primary", async () => {
  await far.write(create("web", "deny", 10), {});
  expect(await listed(near)).toContain(id(10));
  expect(await listed(far)).toBe("[]");
  await replicator().pull({ all: false });
  await far.write({ type: "intention.delete", id: id(10) }, {});
  expect(await listed(near)).toBe("[]");
});

test("where Connect is off they are each datacenter's own", async () => {
  federated(null);
  await far.write(create("web", "deny", 10), {});
  await near.write(create("api", "deny", 11), {});
  await replicator({ hasConnect: false }).pull({ all: true });
  expect(await listed(far)).toContain(id(10));
  expect(await listed(far)).not.toContain(id(11));
  expect(await listed(near)).not.toContain(id(10));
});

test("a primary of an older version is not asked for what it does not know", async () => {
  const asked: string[] = [];
  await makeAt(near, create("web", "deny", 10));
  const ask: ReplicatorParts["ask"] = async (question) => {
    await Promise.resolve();
    asked.push("kind" in question ? question.kind : question.ask);
    const answer = source.answer(question);
    if (question.ask !== "indexes") return answer;
    const { intentions: _unknown, ...known } = answer as { intentions: number };
    return known;
  };
  await replicator({ ask }).pull({ all: true });
  expect(asked).toContain("config");
  expect(asked).not.toContain("intentions");
});
