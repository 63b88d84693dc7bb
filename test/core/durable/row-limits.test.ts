// The largest that may be written, on a database with Cloudflare's limits: a row of more than 2 MB would end every
// server that applies it, again and again, so whatever would become one is refused before it is an entry of the log.

import { afterEach, beforeEach, expect, test } from "vitest";

import { edgeAgentObject } from "../../../durable/platform/topology.ts";
import { limits } from "../../../src/core/model/limits.ts";
import type { LinkReply } from "../../../src/link/protocol.ts";
import { ObjectDatacenter } from "../../support/object-datacenter.ts";
import { LimitedSql } from "../../support/platform-limits.ts";

let dc: ObjectDatacenter;
let databases: LimitedSql[];

beforeEach(async () => {
  databases = [];
  dc = new ObjectDatacenter({
    datacenter: { servers: 3 },
    wrapSql: (sql) => {
      const limited = new LimitedSql(sql);
      databases.push(limited);
      return limited;
    },
  });
  await dc.lead();
});

afterEach(() => dc.host.stop());

function largest(of: "parameters" | "statementBytes" | "rowBytes"): number {
  return Math.max(...databases.map((each) => each.largest[of]));
}

function outcomeOf(reply: LinkReply): string {
  return "error" in reply ? reply.error.message : "written";
}

/** Text that takes six times its length as JSON, and text of which each letter takes three bytes. */
const fillings = { plain: "x", escaped: "\u0001", wide: "語" } as const;
const sizes = [100_000, 160_000, 320_000, 480_000, 900_000, 990_000, 1_100_000, 3_000_000];

const service = { ID: "web", Service: "web", Port: 1 };
const at = { Node: "n", Address: "10.0.0.1" };
const writes: [string, (text: string) => object][] = [
  [
    "a key's value",
    (text) => ({ type: "kv.set", key: "k", value: btoa(text.replace(/[^x]/g, "x")), flags: "0" }),
  ],
  ["a key", (text) => ({ type: "kv.set", key: text, value: "dg==", flags: "0" })],
  ["a node's metadata", (text) => registration({ ...at, NodeMeta: { a: text } })],
  ["a service's tags", (text) => registration({ ...at, Service: { ...service, Tags: [text] } })],
  [
    "a check of a tagged service",
    (text) =>
      registration({
        ...at,
        Service: { ...service, Tags: [text] },
        Checks: [1, 2].map((n) => ({ CheckID: `c${n}`, Name: "c", ServiceID: "web" })),
      }),
  ],
  ["a check's output", (text) => registration({ ...at, Check: { CheckID: "c", Output: text } })],
];

function registration(registered: object): object {
  return { type: "catalog.register", registration: registered };
}

test.each(writes)("%s of any length is written, or refused with words", async (what, command) => {
  for (const letter of Object.values(fillings)) {
    for (const size of sizes) {
      const outcome = outcomeOf(await dc.write(0, command(letter.repeat(size))));
      expect(outcome).toMatch(/^written$|too large|^Value|exceeds|not within/);
    }
  }
  // Nobody stopped.
  expect(dc.warnings.filter((line) => line.includes("stops"))).toEqual([]);
  expect(largest("rowBytes")).toBeLessThanOrEqual(limits.rowBytesMax);
  expect(outcomeOf(await dc.write(1, { type: "kv.set", key: "a", value: "", flags: "0" }))).toBe(
    "written",
  );
  console.log(
    `${what}: rows up to ${largest("rowBytes")} bytes, ${largest("parameters")} parameters, ` +
      `statements up to ${largest("statementBytes")} bytes`,
  );
});

test("a registration at the Worker's URL that would not fit a row is refused before anything is kept", async () => {
  const register = async (body: object): Promise<{ error?: { message: string } }> => {
    const args = [JSON.stringify(body), { replaceExistingChecks: false }];
    const call = JSON.stringify({ method: "registerService", args });
    const answering = dc.host.call(edgeAgentObject("dc1"), "/call", call, null);
    await dc.time.pass(3_000);
    return JSON.parse(String((await answering).body)) as { error?: { message: string } };
  };
  const checks = [1, 2].map((n) => ({ CheckID: `c${n}`, TTL: "1h", Notes: "n".repeat(50_000) }));
  for (const letter of Object.values(fillings)) {
    const tag = letter.repeat(Math.floor(380_000 / JSON.stringify(JSON.stringify(letter)).length));
    expect(await register({ Name: "web", Tags: [tag], Checks: checks })).not.toHaveProperty(
      "error",
    );
  }
  const refused = await register({ Name: "large", Tags: ["x".repeat(600_000)] });
  expect(refused.error?.message).toMatch(/^Registration is too large \(\d+ > 500000 bytes\)$/);
  expect(largest("rowBytes")).toBeLessThanOrEqual(limits.rowBytesMax);
});
