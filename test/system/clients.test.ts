// What a program written against Consul does, through the client that npm has for it, unchanged: keys, sessions, locks
// under contention, services and checks, transactions, watches. (The client gives undefined where Consul says false.)

import Consul from "consul";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { eventually } from "../support/eventually.ts";
import { Proconsul, stopAll } from "../support/proconsul.ts";

const contenders = 5;

let agent: Proconsul;
let consul: Consul;

beforeAll(async () => {
  agent = await Proconsul.start({ args: ["-dev", "-node", "here"] });
  consul = new Consul({ host: "127.0.0.1", port: agent.ports.http });
});
afterAll(stopAll);

describe("kv", () => {
  test("set, get, raw, flags", async () => {
    expect(await consul.kv.set("config/color", "blue")).toBe(true);
    expect(await consul.kv.get("config/color")).toMatchObject({
      Key: "config/color",
      Value: "blue",
      Flags: 0,
      LockIndex: 0,
    });
    expect(
      await consul.kv.set({ key: "config/bytes", value: Buffer.of(0, 255, 10), flags: 7 }),
    ).toBe(true);
    const raw = await consul.kv.get({ key: "config/bytes", raw: true });
    expect(Buffer.from(raw as never)).toEqual(Buffer.of(0, 255, 10));
    expect(await consul.kv.get("config/nothing")).toBeUndefined();
  });

  test("names with spaces, slashes and other alphabets", async () => {
    for (const key of ["a b/c?d#e", "ключ/鍵/🔑", "100%", "a/b/"]) {
      expect(await consul.kv.set(key, key), key).toBe(true);
      expect(await consul.kv.get(key), key).toMatchObject({ Key: key, Value: key });
      expect(await consul.kv.del(key), key).toBe(true);
      expect(await consul.kv.get(key), key).toBeUndefined();
    }
  });

  test("keys, recursion, separator, deletion of a tree", async () => {
    for (const name of ["a", "b/c", "b/d"]) await consul.kv.set(`tree/${name}`, name);
    expect(await consul.kv.keys("tree/")).toEqual(["tree/a", "tree/b/c", "tree/b/d"]);
    expect(await consul.kv.keys({ key: "tree/", separator: "/" })).toEqual(["tree/a", "tree/b/"]);
    const rows = (await consul.kv.get({ key: "tree/", recurse: true })) as unknown as {
      Value: string;
    }[];
    expect(rows.map(({ Value }) => Value)).toEqual(["a", "b/c", "b/d"]);
    expect(await consul.kv.del({ key: "tree/b", recurse: true })).toBe(true);
    expect(await consul.kv.keys("tree/")).toEqual(["tree/a"]);
  });

  test("compare and set: of many that try with the same index one wins", async () => {
    await consul.kv.set("counter", "0");
    const { ModifyIndex: cas } = (await consul.kv.get("counter")) as { ModifyIndex: number };
    const attempts = Array.from({ length: contenders }, (_, n) =>
      consul.kv.set({ key: "counter", value: `by ${n}`, cas }),
    );
    const won = (await Promise.all(attempts)).filter(Boolean);
    expect(won).toHaveLength(1);
    expect(await consul.kv.del({ key: "counter", cas })).not.toBe(true);
  });
});

describe("session", () => {
  test("create, info, list, renew, destroy", async () => {
    const { ID: id } = await consul.session.create({ name: "mine", ttl: "15s", lockdelay: "1s" });
    expect(await consul.session.get(id)).toMatchObject({
      ID: id,
      Name: "mine",
      TTL: "15s",
      Node: "here",
      LockDelay: 1e9,
    });
    const listed = await consul.session.list();
    expect(listed.map(({ ID }) => ID)).toContain(id);
    expect((await consul.session.node("here")).map(({ ID }) => ID)).toContain(id);
    expect(await consul.session.renew(id)).toMatchObject([{ ID: id }]);
    await consul.session.destroy(id);
    await expect(consul.session.renew(id)).rejects.toThrow(/not found/);
  });

  test("locks: one holder at a time, each gets its turn, none twice", async () => {
    const order: number[] = [];
    let holders = 0;
    await Promise.all(
      Array.from({ length: contenders }, async (_, n) => {
        const { ID: session } = await consul.session.create({ ttl: "10s", lockdelay: "0s" });
        await eventually(() => consul.kv.set({ key: "lock", value: `${n}`, acquire: session }), {
          what: `contender ${n} gets the lock`,
        });
        holders += 1;
        expect(holders).toBe(1);
        const held = (await consul.kv.get("lock")) as { Session?: string } | null;
        expect(held?.Session).toBe(session);
        order.push(n);
        holders -= 1;
        expect(await consul.kv.set({ key: "lock", value: "", release: session })).toBe(true);
        await consul.session.destroy(session);
      }),
    );
    expect(order.toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3, 4]);
    expect(await consul.kv.get("lock")).toMatchObject({ LockIndex: contenders });
  });

  test("who holds nothing can release nothing; an ended session gives its locks back", async () => {
    const { ID: holder } = await consul.session.create({ lockdelay: "0s" });
    const { ID: other } = await consul.session.create({ lockdelay: "0s", behavior: "delete" });
    expect(await consul.kv.set({ key: "held", value: "", acquire: holder })).toBe(true);
    expect(await consul.kv.set({ key: "held", value: "", acquire: other })).not.toBe(true);
    expect(await consul.kv.set({ key: "held", value: "", release: other })).not.toBe(true);
    await consul.session.destroy(holder);
    expect(await consul.kv.set({ key: "held", value: "", acquire: other })).toBe(true);
    await consul.session.destroy(other);
    expect(await consul.kv.get("held")).toBeUndefined();
  });
});

describe("services and checks", () => {
  test("register, list, pass, fail, maintenance, deregister", async () => {
    await consul.agent.service.register({
      name: "api",
      id: "api-1",
      tags: ["v1"],
      port: 8_080,
      check: { ttl: "60s", name: "alive" },
    } as never);
    await consul.agent.check.pass("service:api-1");
    expect(await consul.health.service({ service: "api", passing: true })).toHaveLength(1);
    expect(await consul.health.service({ service: "api", tag: "v2" })).toEqual([]);
    await consul.agent.check.warn({ id: "service:api-1", note: "slow" });
    const [check] = await consul.health.checks("api");
    expect(check).toMatchObject({ Status: "warning", Output: "slow", Name: "alive" });
    await consul.agent.check.fail("service:api-1");
    expect(await consul.health.service({ service: "api", passing: true })).toEqual([]);
    expect((await consul.health.state("critical")).map(({ CheckID }) => CheckID)).toEqual([
      "service:api-1",
    ]);
    await consul.agent.check.pass("service:api-1");
    await consul.agent.service.maintenance({ id: "api-1", enable: true, reason: "upgrade" });
    expect(await consul.health.service({ service: "api", passing: true })).toEqual([]);
    await consul.agent.service.maintenance({ id: "api-1", enable: false });
    expect(await consul.health.service({ service: "api", passing: true })).toHaveLength(1);
    await consul.agent.service.deregister("api-1");
    expect(await consul.catalog.service.nodes("api")).toEqual([]);
  });

  test("a check of the node, a check of a service registered later", async () => {
    await consul.agent.check.register({ name: "disk", ttl: "60s", timeout: "1s" });
    await consul.agent.check.pass("disk");
    const onNode = await consul.health.node("here");
    expect(onNode.map(({ CheckID, Status }) => [CheckID, Status])).toEqual([
      ["disk", "passing"],
      ["serfHealth", "passing"],
    ]);
    await consul.agent.service.register({ name: "plain" });
    await consul.agent.check.register({
      name: "late",
      serviceid: "plain",
      ttl: "60s",
      timeout: "1s",
    });
    expect(await consul.health.service({ service: "plain", passing: true })).toEqual([]);
    await consul.agent.check.deregister("late");
    await consul.agent.check.deregister("disk");
    expect(Object.keys(await consul.agent.checks())).toEqual([]);
    await consul.agent.service.deregister("plain");
  });

  test("catalog: nodes, services, datacenters, and an external node registered by hand", async () => {
    await consul.catalog.register({
      node: "printer",
      address: "192.0.2.9",
      service: { service: "print", port: 631 },
    } as never);
    const nodes = (await consul.catalog.node.list()) as unknown as { Node: string }[];
    expect(nodes.map(({ Node }) => Node)).toEqual(["here", "printer"]);
    expect(await consul.catalog.service.list()).toEqual({ consul: [], print: [] });
    const [instance] = (await consul.catalog.service.nodes("print")) as object[];
    expect(instance).toMatchObject({ Node: "printer", Address: "192.0.2.9", ServicePort: 631 });
    expect(await consul.catalog.node.services("printer")).toMatchObject({
      Services: { print: { Port: 631 } },
    });
    expect(await consul.catalog.datacenters()).toEqual(["dc1"]);
    await consul.catalog.deregister({ node: "printer" } as never);
    expect(await consul.catalog.service.list()).toEqual({ consul: [] });
  });

  test("members, self, status", async () => {
    expect(await consul.agent.members()).toMatchObject([{ Name: "here", Status: 1 }]);
    expect(await consul.agent.self()).toMatchObject({ Config: { NodeName: "here", Server: true } });
    const address = `127.0.0.1:${agent.ports.server}`;
    expect(await consul.status.leader()).toBe(address);
    expect(await consul.status.peers()).toEqual([address]);
  });
});

test("transactions: all or nothing", async () => {
  const set = (Key: string, Value: string): object => ({
    KV: { Verb: "set", Key, Value: Buffer.from(Value).toString("base64") },
  });
  const done = await consul.transaction.create([set("txn/a", "1"), set("txn/b", "2")] as never);
  expect(done).toMatchObject({ Results: [{ KV: { Key: "txn/a" } }, { KV: { Key: "txn/b" } }] });
  const refused = consul.transaction.create([
    set("txn/a", "changed"),
    { KV: { Verb: "check-not-exists", Key: "txn/b" } },
  ] as never);
  await expect(refused).rejects.toMatchObject({ statusCode: 409 });
  expect(await consul.kv.get("txn/a")).toMatchObject({ Value: "1" });
});

describe("watch", () => {
  /** Values seen by a watch, in order, and its end. */
  function watching(method: unknown, options: object): { seen: unknown[]; end(): void } {
    const seen: unknown[] = [];
    const watch = consul.watch({ method: method as never, options: options as never });
    watch.on("change", (data: unknown) => seen.push(data));
    watch.on("error", (failure: unknown) => seen.push(failure));
    return { seen, end: () => watch.end() };
  }

  test("a key: its value, each later value, its end", async () => {
    await consul.kv.set("watched", "0");
    const { seen, end } = watching(consul.kv.get, { key: "watched" });
    for (const value of ["1", "2", "3"]) {
      const before = Number(value);
      await eventually(() => seen.length >= before, { what: `change ${before} is seen` });
      await consul.kv.set("watched", value);
    }
    await eventually(() => seen.length >= 4, { what: "the last change is seen" });
    expect(seen.map((row) => (row as { Value: string }).Value)).toEqual(["0", "1", "2", "3"]);
    end();
  });

  test("a service: instances come, pass and go", async () => {
    const { seen, end } = watching(consul.health.service, { service: "seen", passing: true });
    const instances = (): number => (seen.at(-1) as unknown[] | undefined)?.length ?? -1;
    await eventually(() => instances() === 0, { what: "there is none" });
    await consul.agent.service.register({ name: "seen", check: { ttl: "60s" } } as never);
    await consul.agent.check.pass("service:seen");
    await eventually(() => instances() === 1, { what: "it passes" });
    await consul.agent.check.fail("service:seen");
    await eventually(() => instances() === 0, { what: "it fails" });
    await consul.agent.service.deregister("seen");
    end();
  });
});
