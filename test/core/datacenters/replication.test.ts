// Replication between two datacenters, with everything but the platform between them: what is copied, what is not, what
// happens when either side fails, and that nothing is sent while nothing changes.

import { beforeEach, describe, expect, test } from "vitest";

import { ReplicationSource } from "../../../durable/datacenters/replication-source.ts";
import type {
  ReplicationNews,
  ReplicationQuestion,
} from "../../../durable/datacenters/replication-source.ts";
import { Replicator } from "../../../durable/datacenters/replicator.ts";
import { ServiceError } from "../../../src/core/model/errors.ts";
import { emptyToken } from "../../../src/core/state/tables/acl/bootstrap.ts";
import type { Command } from "../../../src/core/state/commands.ts";
import { sources } from "../../../src/core/state/tables/replication/sources.ts";
import { settled, VirtualTime } from "../../support/virtual-time.ts";
import { MemoryCluster } from "../../support/memory-cluster.ts";

const boss = "33333333-3333-3333-3333-333333333333";
const rules = { defaultPolicy: "deny", keyListPolicy: false } as const;

let time: VirtualTime;
let near: MemoryCluster;
let far: MemoryCluster;
let source: ReplicationSource;
let replicator: Replicator;
/** What went from one to the other. */
let sent: string[];
let writes: Command[];
let isCutOff: boolean;
let alarms: Map<string, { handler?: (nowMs: number) => unknown; atMs?: number }>;
let farLeads: boolean;

function id(n: number): string {
  return `00000000-0000-4000-8000-${String(n).padStart(12, "0")}`;
}

const clock = {
  handle: (owner: string, handler: (nowMs: number) => unknown) =>
    void alarms.set(owner, { handler }),
  set: (owner: string, atMs: number) => void alarms.set(owner, { ...alarms.get(owner), atMs }),
  clear: (owner: string) => {
    const { atMs: _at, ...alarm } = alarms.get(owner) ?? {};
    alarms.set(owner, alarm);
  },
};

beforeEach(async () => {
  time = new VirtualTime();
  near = new MemoryCluster({ datacenter: "dc1", acl: rules, nowMs: time.nowMs });
  far = new MemoryCluster({
    datacenter: "dc2",
    acl: { ...rules, primary: "dc1" },
    nowMs: time.nowMs,
  });
  far.others.set("dc1", near);
  [sent, writes, alarms, isCutOff, farLeads] = [[], [], new Map(), false, true];
  const { nowMs } = time;
  const warn = (): void => undefined;
  source = new ReplicationSource({
    ...{ sql: near.sql, machine: near.machine, clock, nowMs, warn },
    secondaries: () => ["dc2"],
    leads: () => true,
    waitUntil: (work) => void work,
    tell: async (_dc, news: ReplicationNews) => {
      sent.push(news.all ? "news of all" : "news");
      if (isCutOff) throw new Error("cut off");
      await replicator.pull(news);
    },
  });
  replicator = new Replicator({
    ...{ machine: far.machine, clock, nowMs, warn, primary: "dc1", hasConnect: false },
    leads: () => farLeads,
    ask: async (question: ReplicationQuestion) => {
      sent.push(question.ask);
      await Promise.resolve();
      if (isCutOff) throw new Error("cut off");
      return source.answer(question);
    },
    write: async (command) => {
      writes.push(command);
      await far.writeOwn(command);
    },
  });
  await near.writeOwn({ type: "acl.initialize", master: boss, accessor: id(1) });
});

/** As the leader does after it applied something. */
async function applied(type = "acl."): Promise<void> {
  source.applied([{ command: { type } } as never]);
  for (let turn = 0; turn < 50; turn++) await settled();
}

async function make(n: number, more: object = {}): Promise<string> {
  const token = { ...emptyToken, AccessorID: id(n), SecretID: id(1_000 + n), ...more };
  await near.write({ type: "acl.token.create", token, ttlNs: 0 }, { token: boss });
  return id(1_000 + n);
}

async function policy(n: number, rulesText: string): Promise<void> {
  const made = {
    ID: id(n),
    Name: `p${n}`,
    Description: "",
    Rules: rulesText,
    Datacenters: null,
    Hash: "",
  };
  const isNew = near.machine
    .ask((state) => sources.policies.rows(state, 0))
    .every(({ key }) => key !== id(n));
  await near.write({ type: "acl.policy.set", policy: made, create: isNew }, { token: boss });
}

function copies(cluster: MemoryCluster): unknown {
  return Object.fromEntries(
    Object.entries(sources).map(([kind, { rows }]) => [
      kind,
      cluster.machine
        .ask((state) => rows(state, time.nowMs()))
        .toSorted((a, b) => (a.key < b.key ? -1 : 1)),
    ]),
  );
}

const links = (...numbers: number[]) => ({
  Policies: numbers.map((n) => ({ ID: id(n), Name: "" })),
});
const writeAll = 'key_prefix "" { policy = "write" }';

async function status(cluster: MemoryCluster): Promise<Record<string, unknown>> {
  const { body } = await cluster.read("acl.replication", {}, {});
  return JSON.parse(body ?? "null") as Record<string, unknown>;
}

async function put(token: string): Promise<string> {
  const write = { type: "kv.set", key: "a", value: "", flags: "0" } as const;
  try {
    await far.write(write, { token });
    return "done";
  } catch (failure) {
    return (failure as Error).message;
  }
}

test("what counts everywhere is copied, with what it grants, and only that", async () => {
  await policy(10, writeAll);
  const role = {
    ...{ ID: id(20), Name: "r", Description: "", Hash: "", ...links(10) },
    ...{ ServiceIdentities: null, NodeIdentities: null },
  };
  await near.write({ type: "acl.role.set", role, create: true }, { token: boss });
  const entry = { Kind: "service-defaults", Name: "web", Protocol: "http" };
  await near.write({ type: "config.set", kind: "service-defaults", entry } as never, {
    token: boss,
  });
  const global = await make(30, { Roles: [{ ID: id(20), Name: "" }] });
  const local = await make(31, { Local: true, ...links(10) });
  await applied();
  expect(copies(far)).toEqual(copies(near));
  expect(await put(global)).toBe("done");
  expect(await put(local)).toBe("ACL not found");
  const read = await far.read(
    "config.get",
    { kind: "service-defaults", name: "web" },
    { token: boss },
  );
  expect(read.body).toContain('"Protocol":"http"');
});

test("a token that is revoked is nobody's there, and what waits with it ends", async () => {
  await policy(10, writeAll);
  const secret = await make(30, links(10));
  await applied();
  expect(await put(secret)).toBe("done");
  const { index } = await far.read("kv.get", { key: "a" }, { token: secret });
  const waiting = far.read("kv.get", { key: "a" }, { token: secret, minIndex: index, waitMs: 9e6 });
  waiting.catch(() => undefined);
  await near.write({ type: "acl.token.delete", accessor: id(30), bearer: "" }, { token: boss });
  await applied();
  expect(await put(secret)).toBe("ACL not found");
  await expect(waiting).rejects.toThrow("ACL not found");
});

test("rules that change count there", async () => {
  await policy(10, writeAll);
  const secret = await make(30, links(10));
  await applied();
  await policy(10, 'key_prefix "" { policy = "read" }');
  await applied();
  expect(await put(secret)).toBe("Permission denied");
});

test("only what differs is asked for, and nothing while nothing changes", async () => {
  await make(30);
  await applied();
  sent = [];
  writes = [];
  await applied();
  await applied("kv.set");
  expect(sent).toEqual([]);
  await make(31);
  await applied();
  expect(sent).toEqual(["news", "indexes", "manifest", "rows"]);
  const written = writes.map(
    (write) => write.type === "replication.copy" && (write.keys ?? []).length,
  );
  expect(written).toEqual([1, 0]);
  // Another leader there finds out that it has everything.
  sent = [];
  writes = [];
  await replicator.begin();
  expect([sent, writes]).toEqual([["indexes"], []]);
});

test("many are copied in pieces, each of which fits a command", async () => {
  const text = "x".repeat(4_000);
  for (let n = 0; n < 300; n++) await make(100 + n, { Description: text });
  await applied();
  for (let turn = 0; turn < 400; turn++) await settled();
  expect(copies(far)).toEqual(copies(near));
  const sizes = writes.map((write) => JSON.stringify(write).length);
  expect(Math.max(...sizes)).toBeLessThan(500_000);
  expect(writes.length).toBeGreaterThan(4);
});

describe("a secondary that cannot be reached", () => {
  test("is told later, less and less often, and has everything then", async () => {
    isCutOff = true;
    await make(30);
    await applied();
    const delays: number[] = [];
    for (let n = 0; n < 12; n++) {
      const { handler, atMs = 0 } = alarms.get("replication") ?? {};
      delays.push(atMs - time.nowMs());
      await time.pass(atMs - time.nowMs());
      handler?.(time.nowMs());
      for (let turn = 0; turn < 20; turn++) await settled();
    }
    expect(delays.slice(0, 4)).toEqual([1_000, 2_000, 4_000, 8_000]);
    expect(delays.at(-1)).toBe(300_000);
    isCutOff = false;
    await time.pass(300_000);
    alarms.get("replication")?.handler?.(time.nowMs());
    for (let turn = 0; turn < 50; turn++) await settled();
    expect(copies(far)).toEqual(copies(near));
  });

  test("is told by the leader that wakes up, which has it written down", async () => {
    isCutOff = true;
    await make(30);
    await applied();
    isCutOff = false;
    sent = [];
    source.arm();
    for (let turn = 0; turn < 50; turn++) await settled();
    expect(sent[0]).toBe("news");
    expect(copies(far)).toEqual(copies(near));
  });

  test("says when it failed, once", async () => {
    await applied();
    isCutOff = true;
    await time.pass(5_000);
    await replicator.begin();
    await replicator.begin();
    const failed = writes.filter(({ type }) => type === "replication.failed");
    expect(failed).toHaveLength(1);
    const { LastSuccess: success, LastError: error } = await status(far);
    expect(String(error) > String(success)).toBe(true);
    expect(alarms.get("replicator")?.atMs).toBeGreaterThan(time.nowMs());
  });
});

test("what somebody changed in the secondary's own rows is put right when all is compared", async () => {
  await make(30);
  await applied();
  const extra = { ...emptyToken, AccessorID: id(77), SecretID: id(1_077) };
  await far.writeOwn({ type: "acl.token.create", token: extra, ttlNs: 0 });
  await far.writeOwn({ type: "acl.token.delete", accessor: id(30), bearer: "" });
  source.replaced();
  sent = [];
  await applied();
  expect(sent[0]).toBe("news of all");
  expect(copies(far)).toEqual(copies(near));
});

test("tokens of the secondary alone stay", async () => {
  await applied();
  const own = { ...emptyToken, AccessorID: id(77), SecretID: id(1_077), Local: true };
  await far.writeOwn({ type: "acl.token.create", token: own, ttlNs: 0 });
  await make(30);
  source.replaced();
  await applied();
  expect(await put(id(1_077))).toBe("Permission denied");
});

test("the state of it is told in Consul's fields", async () => {
  expect(await status(near)).toMatchObject({
    Enabled: false,
    Running: false,
    SourceDatacenter: "",
  });
  await policy(10, writeAll);
  await make(30);
  await applied();
  const { machine } = near;
  const indexOf = (kind: keyof typeof sources) =>
    machine.ask(({ meta }) => meta.index(sources[kind].index));
  expect(await status(far)).toMatchObject({
    Enabled: true,
    Running: true,
    SourceDatacenter: "dc1",
    ReplicationType: "tokens",
    ReplicatedIndex: indexOf("policies"),
    ReplicatedTokenIndex: indexOf("tokens"),
    LastError: "0001-01-01T00:00:00Z",
  });
});

describe("a write in the secondary", () => {
  async function refusal(work: Promise<unknown>): Promise<string> {
    return await work.then(
      () => "done",
      (failure: unknown) => {
        if (!(failure instanceof ServiceError)) throw failure;
        return failure.message;
      },
    );
  }

  beforeEach(async () => await applied());

  test("of what counts everywhere is made in the primary", async () => {
    const made = { ID: id(10), Name: "p", Description: "", Rules: "", Datacenters: null, Hash: "" };
    await far.write({ type: "acl.policy.set", policy: made, create: true }, { token: boss });
    const token = { ...emptyToken, AccessorID: id(30), SecretID: id(1_030), ...links(10) };
    await far.write({ type: "acl.token.create", token, ttlNs: 0 }, { token: boss });
    const kind = "service-defaults";
    const entry = { Kind: kind, Name: "web", Protocol: "http" };
    await far.write({ type: "config.set", kind, entry } as never, { token: boss });
    await applied();
    expect(copies(far)).toEqual(copies(near));
    expect(JSON.stringify(copies(near))).toContain(id(1_030));
    await far.write({ type: "acl.token.delete", accessor: id(30), bearer: "" }, { token: boss });
    await applied();
    expect(JSON.stringify(copies(far))).not.toContain(id(1_030));
  });

  test("of a local token stays", async () => {
    const token = { ...emptyToken, AccessorID: id(40), SecretID: id(1_040), Local: true };
    await far.write({ type: "acl.token.create", token, ttlNs: 0 }, { token: boss });
    expect(await put(id(1_040))).toBe("Permission denied");
    const clone = { AccessorID: id(41), SecretID: id(1_041), Description: "" };
    await far.write({ type: "acl.token.clone", accessor: id(40), clone }, { token: boss });
    await far.write({ type: "acl.token.delete", accessor: id(40), bearer: "" }, { token: boss });
    expect(await put(id(1_040))).toBe("ACL not found");
    expect(await put(id(1_041))).toBe("Permission denied");
  });

  test("is refused in Consul's words", async () => {
    const made = { ID: id(10), Name: "p", Description: "", Rules: "", Datacenters: null, Hash: "" };
    const write = { type: "acl.policy.set", policy: made, create: true } as const;
    expect(await refusal(far.write(write, {}))).toBe("rpc error making call: Permission denied");
    const nobody = far.write(write, { token: id(9) });
    expect(await refusal(nobody)).toBe("rpc error making call: ACL not found");
    const first = { type: "acl.bootstrap", accessor: id(8), secret: id(9), resetIndex: 0 } as const;
    expect(await refusal(far.write(first, {}))).toBe("ACL support disabled");
    const method = {
      ...{ Name: "m", Type: "jwt", DisplayName: "", Description: "", MaxTokenTTL: 0 },
      ...{ TokenLocality: "global", Config: {} },
    };
    expect(await refusal(far.setAuthMethod(method as never, { token: boss }))).toBe(
      "Invalid Auth Method: TokenLocality 'global' can only be used in the primary datacenter",
    );
  });
});
