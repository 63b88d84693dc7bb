// `/v1/snapshot`. Texts were recorded from Consul 1.8.7, to which the same archives were given.

import { gzipSync } from "node:zlib";
import { beforeEach, describe, expect, test } from "vitest";

import { AclClient, administrator } from "../../support/acl-client.ts";
import { ApiClient } from "../../support/api-client.ts";
import {
  archiveOf,
  archiveOfState,
  type Files,
  filesOf,
  foreignArchive,
  recordsOf,
  stateOf,
  sumsOf,
  tarOf,
} from "../../support/archives.ts";

const foreign = foreignArchive();
const foreignFiles = filesOf(foreign);
const meta = foreignFiles.get("meta.json") ?? new Uint8Array(0);
const state = stateOf(foreign);
const whole: Files = [
  ["meta.json", meta],
  ["state.bin", state],
];
const bytes = (text: string): Uint8Array => Buffer.from(text);

let client: ApiClient;

beforeEach(() => {
  client = new ApiClient();
});

async function restore(archive: Uint8Array, headers: Record<string, string> = {}): Promise<string> {
  const { status, body } = await client.fetchBytes("PUT", "/v1/snapshot", headers, archive);
  return `${status} ${Buffer.from(body).toString()}`;
}

const damaged = "500 failed to read snapshot file: ";
const unverified = `${damaged}failed checking integrity of snapshot: `;

test.each<[string, Uint8Array, string]>([
  ["nothing", bytes(""), "500 failed to decompress snapshot: EOF"],
  ["garbage", bytes("garbage"), "500 failed to decompress snapshot: unexpected EOF"],
  ["text", bytes("x".repeat(99)), "500 failed to decompress snapshot: gzip: invalid header"],
  ["empty gzip", gzipSync(""), `${unverified}file missing for "meta.json"`],
  [
    "gzip of text",
    gzipSync("hello".repeat(1_000)),
    `${damaged}failed reading snapshot: archive/tar: invalid tar header`,
  ],
  ["an empty tar", gzipSync(tarOf([])), `${unverified}file missing for "meta.json"`],
  ["no hashes", gzipSync(tarOf(whole)), `${unverified}file missing for "meta.json"`],
  ["no state", archiveOf([["meta.json", meta]]), `${unverified}file missing for "state.bin"`],
  ["another file", archiveOf([...whole, ["x", meta]]), `${damaged}unexpected file "x" in snapshot`],
  [
    "a wrong hash",
    archiveOf(whole, bytes("00  state.bin\n")),
    `${unverified}hash check failed for "state.bin"`,
  ],
  [
    "a hash too many",
    archiveOf(whole, sumsOf([...whole, ["y", meta]])),
    `${unverified}list missing hash for "y"`,
  ],
  [
    "hashes that are none",
    archiveOf(whole, bytes("hello\n")),
    `${unverified}no hex data for %x string`,
  ],
  [
    "no JSON",
    archiveOf([
      ["meta.json", bytes("{")],
      ["state.bin", state],
    ]),
    `${damaged}failed to decode snapshot metadata: unexpected end of JSON input`,
  ],
  [
    "no version",
    archiveOfState(state, { Version: 0 }),
    "500 Raft error when restoring snapshot: failed to create snapshot: unsupported snapshot version 0",
  ],
  [
    "another size",
    archiveOfState(state, { Size: 5 }),
    `500 Raft error when restoring snapshot: failed to write snapshot, size didn't match (${state.length} != 5)`,
  ],
])("%s is refused", async (_what, archive, expected) => {
  await client.put("/v1/kv/before", "1");
  expect(await restore(archive)).toBe(expected);
  expect((await client.get("/v1/kv/?keys")).json).toEqual(["before"]);
});

/** Consul ends when its state machine cannot take what an archive holds; here it is refused. */
test.each<[string, Uint8Array]>([
  ["no state", new Uint8Array(0)],
  ["a record of a type that nobody knows", Buffer.concat([state, Uint8Array.of(99, 0x80)])],
  ["a record that breaks off", state.subarray(0, -5)],
  ["bytes that are no MessagePack", Buffer.concat([state, Uint8Array.of(2, 0xc1)])],
  ["a key that is no map", Buffer.concat([state, Uint8Array.of(2, 0x01)])],
  ["a key that is a list of itself", Buffer.concat([state, new Uint8Array(5_000).fill(0x91)])],
])("%s inside of an archive that is whole is refused whole", async (_what, broken) => {
  await client.put("/v1/kv/before", "1");
  expect(await restore(archiveOfState(broken))).toMatch(/^500 .*restor/);
  expect((await client.get("/v1/kv/?keys")).json).toEqual(["before"]);
});

test("an archive that is cut anywhere is refused whole", async () => {
  await client.put("/v1/kv/before", "1");
  const small = await save();
  for (let length = 0; length < small.length; length++) {
    const answer = await restore(small.subarray(0, length));
    expect(answer, `${length} bytes`).toMatch(
      /^500 (failed to decompress snapshot: |failed to read snapshot file: .*)?(unexpected )?EOF$/,
    );
  }
  expect((await client.get("/v1/kv/?keys")).json).toEqual(["before"]);
  expect(await restore(small)).toBe("200 ");
});

test("an archive with a bit that fell over is refused whole, or holds the same", async () => {
  await client.put("/v1/kv/before", "1");
  // Headers of gzip and tar hold what nobody reads, such as times and names of users.
  for (let at = 3; at < foreign.length; at += 41) {
    const flipped = Buffer.from(foreign);
    flipped[at] = (flipped[at] ?? 0) ^ (1 << (at % 8));
    const answer = await restore(flipped);
    if (answer === "200 ") expect(at).toBeLessThan(10);
    else expect(answer, `byte ${at}`).toMatch(/^500 /);
  }
  for (const at of [2_000, 4_000, 6_000]) {
    const flipped = Buffer.from(foreign);
    flipped[at] = (flipped[at] ?? 0) ^ 1;
    expect(await restore(flipped)).not.toBe("200 ");
  }
});

async function save(query = "", headers: Record<string, string> = {}): Promise<Uint8Array> {
  const { status, body } = await client.fetchBytes("GET", `/v1/snapshot${query}`, headers);
  expect(status).toBe(200);
  return body;
}

test("what was saved comes back, and what came later is gone", async () => {
  await client.put("/v1/kv/kept", "1");
  const saved = await save();
  await client.put("/v1/kv/kept", "2");
  await client.put("/v1/kv/late", "3");
  expect(await restore(saved)).toBe("200 ");
  expect((await client.get("/v1/kv/?keys")).json).toEqual(["kept"]);
  expect((await client.get("/v1/kv/kept?raw")).text).toBe("1");
  // Three writes and what restoring takes lie behind.
  await client.put("/v1/kv/next", "4");
  const [next] = (await client.get("/v1/kv/next")).json as { CreateIndex: number }[];
  expect(next?.CreateIndex).toBeGreaterThan(3);
});

test("an answer says what it holds", async () => {
  await client.put("/v1/kv/a", "1");
  for (const query of ["", "?stale", "?consistent"]) {
    const { headers, body } = await client.fetchBytes("GET", `/v1/snapshot${query}`);
    expect(headers.get("Content-Type")).toBe("application/x-gzip");
    expect(headers.get("X-Consul-Index")).toBe("1");
    expect(headers.get("X-Consul-KnownLeader")).toBe("true");
    const files = filesOf(body);
    expect([...files.keys()]).toEqual(["meta.json", "state.bin", "SHA256SUMS"]);
    const told = JSON.parse(String(Buffer.from(files.get("meta.json") ?? []))) as object;
    const size = files.get("state.bin")?.length;
    expect(told).toMatchObject({ Version: 1, Index: 1, Size: size, ConfigurationIndex: 1 });
    const [first, second] = [...files].slice(0, 2);
    if (!first || !second) throw new Error("files are missing");
    expect(Buffer.from(files.get("SHA256SUMS") ?? [])).toEqual(sumsOf([first, second]));
    expect(recordsOf(stateOf(body)).map(({ type }) => type)).toEqual([2, 16]);
  }
});

test("an unknown datacenter has no snapshot", async () => {
  const expected = [500, "No path to datacenter"];
  const read = await client.get("/v1/snapshot?dc=nope");
  expect([read.status, read.text]).toEqual(expected);
  const written = await client.put("/v1/snapshot?dc=nope", "x");
  expect([written.status, written.text]).toEqual(expected);
});

test("what is not a snapshot's method is told so", async () => {
  const { status, headers } = await client.send("POST", "/v1/snapshot");
  expect([status, headers.get("Allow")]).toEqual([405, "OPTIONS,GET,PUT"]);
});

test("where archives have a greatest size, larger ones are refused with the way around", async () => {
  client = new ApiClient({ settings: { snapshotBytesMax: 1_000 } });
  await client.put("/v1/kv/before", "1");
  const told =
    "413 Snapshot(6670 bytes) too large, max size: 1000 bytes. Send it to an agent on a host of this " +
    "datacenter instead, which takes any size.";
  expect(await restore(foreign, { "Content-Length": String(foreign.length) })).toBe(told);
  // Whoever does not say so beforehand is stopped when it comes to that.
  expect(await restore(foreign)).toBe(told);
  expect((await client.get("/v1/kv/?keys")).json).toEqual(["before"]);
});

describe("with ACLs", () => {
  test("whoever may write ACLs may save and restore", async () => {
    const acls = await AclClient.start();
    client = acls;
    await acls.administer("PUT", "/v1/kv/a", "1");
    const { secret: some } = await acls.token(
      'key_prefix "" { policy = "write" } operator = "write"',
    );
    const { secret: enough } = await acls.token('acl = "write"');
    for (const [token, expected] of [
      [null, "403 Permission denied"],
      ["11111111-2222-3333-4444-555555555555", "403 ACL not found"],
      [some, "403 Permission denied"],
    ] as const) {
      const headers: Record<string, string> = token === null ? {} : { "X-Consul-Token": token };
      const { status, text } = await client.get("/v1/snapshot", headers);
      expect(`${status} ${text}`).toBe(expected);
      expect(await restore(bytes("garbage"), headers)).toBe(expected);
      expect(await restore(foreign, headers)).toBe(expected);
    }
    const saved = await save("", { "X-Consul-Token": enough });
    expect(await restore(saved, { "X-Consul-Token": enough })).toBe("200 ");
  });

  test("what is allowed by default is not this", async () => {
    client = await AclClient.start({ defaultPolicy: "allow" });
    expect((await client.get("/v1/snapshot")).text).toBe("Permission denied");
    expect(await restore(foreign)).toBe("403 Permission denied");
  });

  test("tokens are those of the archive, at once", async () => {
    const acls = await AclClient.start();
    client = acls;
    const { secret } = await acls.token('key_prefix "" { policy = "write" }');
    const saved = await save("", { "X-Consul-Token": administrator });
    const { secret: later } = await acls.token('key_prefix "" { policy = "write" }');
    expect((await acls.as(later, "PUT", "/v1/kv/a", "1")).status).toBe(200);
    expect(await restore(saved, { "X-Consul-Token": administrator })).toBe("200 ");
    expect((await acls.as(later, "PUT", "/v1/kv/a", "1")).text).toBe("ACL not found");
    expect((await acls.as(secret, "PUT", "/v1/kv/a", "1")).status).toBe(200);
  });
});

test("whoever waits is woken, and answered with what there is now", async () => {
  await client.put("/v1/kv/a", "old");
  const saved = await save();
  await client.put("/v1/kv/a", "new");
  await client.put("/v1/kv/b", "other");
  const waits = ["/v1/kv/a?index=2&wait=5m", "/v1/kv/?keys&index=3&wait=5m"].map((path) => {
    return client.get(path);
  });
  await expect.poll(() => client.cluster.waiting).toBe(2);
  expect(await restore(saved)).toBe("200 ");
  const [one, all] = await Promise.all(waits);
  expect(one?.json).toMatchObject([{ Value: btoa("old") }]);
  expect(all?.json).toEqual(["a"]);
});
