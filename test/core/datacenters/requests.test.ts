// Requests for another datacenter, as an agent's link carries them: a server of the own one asks there.

import { beforeEach, describe, expect, test } from "vitest";

import { ServiceError } from "../../../src/core/model/errors.ts";
import { origin } from "../../../src/core/model/coordinate.ts";
import { emptyToken } from "../../../src/core/state/tables/acl/bootstrap.ts";
import { MemoryCluster } from "../../support/memory-cluster.ts";
import { registrationOf } from "../../support/state-harness.ts";

let near: MemoryCluster;
let far: MemoryCluster;
const rules = { defaultPolicy: "deny", keyListPolicy: false, masterToken: "" } as const;

beforeEach(() => {
  near = new MemoryCluster({ datacenter: "dc1" });
  far = new MemoryCluster({ datacenter: "dc2" });
  near.others.set("dc2", far);
});

async function put(cluster: MemoryCluster, key: string, dc?: string): Promise<void> {
  const write = { type: "kv.set", key, value: btoa(key), flags: "0" } as const;
  await cluster.write(write, dc === undefined ? {} : { dc });
}

async function keys(cluster: MemoryCluster, dc: string): Promise<string | null> {
  const { body } = await cluster.read("kv.keys", { prefix: "" }, { dc });
  return body;
}

async function refusal(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return "done";
  } catch (failure) {
    if (!(failure instanceof ServiceError)) throw failure;
    return `${failure.code}: ${failure.message}`;
  }
}

test("writes and reads go where they are told to", async () => {
  await put(near, "here");
  await put(near, "there", "dc2");
  expect(await keys(near, "dc1")).toBe('["here"]');
  expect(await keys(near, "dc2")).toBe('["there"]');
  expect(await keys(far, "dc2")).toBe('["there"]');
});

test("a datacenter that nobody knows is told of in Consul's words, however it is called", async () => {
  for (const dc of ["dc3", "__proto__", "constructor", "DC2", " "]) {
    const text = "no-path-to-datacenter: No path to datacenter";
    expect(await refusal(put(near, "a", dc)), dc).toBe(text);
    expect(await refusal(keys(near, dc)), dc).toBe(text);
    const waits = near.read("kv.get", { key: "a" }, { dc, minIndex: 9, waitMs: 50 });
    expect(await refusal(waits), dc).toBe(text);
    expect(await refusal(near.status({ dc })), dc).toBe(text);
  }
});

describe("a read that waits", () => {
  test("ends when something changes there", async () => {
    await put(far, "a");
    const { index } = await near.read("kv.get", { key: "a" }, { dc: "dc2" });
    const waiting = near.read("kv.get", { key: "a" }, { dc: "dc2", minIndex: index, waitMs: 9e3 });
    await expect.poll(() => far.waiting).toBe(1);
    await far.write({ type: "kv.set", key: "a", value: btoa("new"), flags: "0" }, {});
    const answer = await waiting;
    expect(answer.index).toBeGreaterThan(index);
    expect(answer.body).toContain(btoa("new"));
  });

  test("leaves nothing behind when its asker goes", async () => {
    await put(far, "a");
    const gone = new AbortController();
    const { signal } = gone;
    const options = { dc: "dc2", minIndex: 100, waitMs: 9e3, signal };
    const waiting = near.read("kv.get", { key: "a" }, options);
    await expect.poll(() => far.waiting).toBe(1);
    gone.abort();
    await waiting;
    await expect.poll(() => far.waiting).toBe(0);
  });
});

test("a cached read of another datacenter is asked there each time", async () => {
  await put(far, "a");
  const read = () => near.read("kv.keys", { prefix: "" }, { dc: "dc2", cached: true });
  expect((await read()).body).toBe('["a"]');
  await put(far, "b");
  expect((await read()).body).toBe('["a","b"]');
  expect(far.waiting).toBe(0);
});

test("what is refused there is told as Consul's servers tell it", async () => {
  const write = { type: "kv.lock", key: "a", value: "", flags: "0", session: "none" } as const;
  const session = near.write(write, { dc: "dc2" });
  expect(await refusal(session)).toMatch(/^invalid: rpc error making call: failed session lookup/);
  const args = { query: "nope", seed: 1, agent: "", ip: "" };
  const query = near.read("query.execute", args, { dc: "dc2" });
  expect(await refusal(query)).toBe("not-found: rpc error making call: Query not found");
  const renewal = near.renewSession("11111111-1111-1111-1111-111111111111", { dc: "dc2" });
  expect(await refusal(renewal)).toMatch(/^not-found: Session id/);
});

test("what only servers propose is refused from another datacenter, too", async () => {
  const write = { type: "session.expire", id: "11111111-1111-1111-1111-111111111111" } as const;
  expect(await refusal(near.write(write, { dc: "dc2" }))).toContain("only servers make");
});

test("a token of this datacenter alone is nobody's there, and an unknown one is shown", async () => {
  near = new MemoryCluster({ datacenter: "dc1", acl: rules });
  far = new MemoryCluster({ datacenter: "dc2", acl: rules });
  near.others.set("dc2", far);
  const accessor = "11111111-1111-1111-1111-111111111111";
  await near.write({ type: "acl.bootstrap", accessor, secret: "boss", resetIndex: 0 }, {});
  const self = (token: string) => near.read("acl.token.self", {}, { token, dc: "dc2" });
  const unknown = "permission-denied: rpc error making call: ACL not found";
  expect(await refusal(self("boss"))).toBe(unknown);
  const own = "22222222-2222-2222-2222-222222222222";
  const row = {
    ...emptyToken,
    SecretID: own,
    AccessorID: accessor.replace("1", "2"),
    Local: true,
  };
  await near.write({ type: "acl.token.create", token: row, ttlNs: 0 }, { token: "boss" });
  // Nobody may read: the token is not unknown there, but none.
  const reads = near.read("kv.get", { key: "a" }, { token: own, dc: "dc2" });
  expect(await refusal(reads)).toBe("permission-denied: rpc error making call: Permission denied");
});

describe("the order of datacenters", () => {
  const place = (ms: number) => ({ ...origin, Vec: [ms / 1e3, 0, 0, 0, 0, 0, 0, 0] });

  async function stand(cluster: MemoryCluster, ms: number | null): Promise<void> {
    const Service = { ID: "consul", Service: "consul", Port: 8300 };
    const body = { Node: "memory", Address: "10.0.0.1", Service };
    await cluster.writeOwn({ type: "catalog.register", registration: registrationOf(body) });
    if (ms === null) return;
    const Coord = place(ms);
    const update = { Node: "memory", Segment: "", Coord };
    await cluster.writeOwn({ type: "coordinate.update", update });
  }

  test.each([
    { here: 1, dc2: 90, dc3: 40, dc4: null, order: ["dc1", "dc3", "dc2", "dc4"] },
    { here: 1, dc2: 40, dc3: 90, dc4: null, order: ["dc1", "dc2", "dc3", "dc4"] },
    { here: null, dc2: 90, dc3: 40, dc4: null, order: ["dc1", "dc2", "dc3", "dc4"] },
    { here: 50, dc2: null, dc3: null, dc4: 60, order: ["dc1", "dc4", "dc2", "dc3"] },
  ])("is by distance, where it is known: $order", async ({ here, order, ...places }) => {
    await stand(near, here);
    for (const [name, ms] of Object.entries(places)) {
      const other = new MemoryCluster({ datacenter: name });
      await stand(other, ms);
      near.others.set(name, other);
    }
    expect(await near.datacenters()).toEqual(order);
  });
});
