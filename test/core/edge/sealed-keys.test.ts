// Keys that a deployment gives out: open with its secret, and by nothing else.

import { expect, test } from "vitest";

import { SealedKeys } from "../../../durable/edge/sealed-keys.ts";
import type { JoinGrant } from "../../../src/ports/deployment-keys.ts";

const secret = "0123456789abcdef0123456789abcdef";
const other = "fedcba9876543210fedcba9876543210";
const grant: JoinGrant = { kind: "join", secret: "a-token", nodes: ["web-*"], expiresMs: 0 };
const nowMs = 1_000;

test("opens what it sealed, and shows nothing of it", async () => {
  const keys = new SealedKeys(secret);
  const key = await keys.seal(grant);
  expect(key).toMatch(/^pj1_[\w-]+$/);
  expect(atob(key.slice(4).replaceAll("-", "+").replaceAll("_", "/"))).not.toContain("a-token");
  expect(await keys.open("join", key, nowMs)).toEqual({ grant });
  expect(await keys.seal(grant)).not.toBe(key);
});

test("a key of another registry, of another kind, or changed anywhere, opens nothing", async () => {
  const keys = new SealedKeys(secret);
  const key = await keys.seal(grant);
  expect(await new SealedKeys(other).open("join", key, nowMs)).toEqual({
    refused: "the join token is not of this registry",
  });
  const disguised = `pd1_${key.slice(4)}`;
  expect(await keys.open("dns", disguised, nowMs)).toEqual({
    refused: "the key for DNS is not of this registry",
  });
  for (let at = 4; at < key.length; at += 7) {
    const letter = key[at] === "A" ? "B" : "A";
    const changed = key.slice(0, at) + letter + key.slice(at + 1);
    expect(await keys.open("join", changed, nowMs), changed).toHaveProperty("refused");
  }
  for (const wrong of [
    "",
    "pj1_",
    "pj1_AAAA",
    "pj2_AAAA",
    key.slice(0, -9),
    `${key} `,
    "pj1_é",
    "x".repeat(9_000),
  ]) {
    expect(await keys.open("join", wrong, nowMs), wrong).toHaveProperty("refused");
  }
});

test("ends when it was to end, and says so", async () => {
  const keys = new SealedKeys(secret);
  const key = await keys.seal({ ...grant, expiresMs: 2_000 });
  expect(await keys.open("join", key, 1_999)).toHaveProperty("grant");
  expect(await keys.open("join", key, 2_000)).toEqual({
    refused: "the join token ended at 1970-01-01T00:00:02.000Z",
  });
});

test("an older secret opens what it sealed, and seals no more", async () => {
  const old = await new SealedKeys(secret).seal(grant);
  const rotated = new SealedKeys(`${other},${secret}`);
  expect(await rotated.open("join", old, nowMs)).toEqual({ grant });
  const fresh = await rotated.seal(grant);
  expect(await new SealedKeys(other).open("join", fresh, nowMs)).toEqual({ grant });
  expect(await new SealedKeys(secret).open("join", fresh, nowMs)).toHaveProperty("refused");
});

test.each([undefined, "", "short", ","])(
  "without a secret (%j) it seals and opens nothing",
  async (given) => {
    const keys = new SealedKeys(given);
    await expect(keys.seal(grant)).rejects.toThrow("set the secret KEY_SECRET");
    const key = await new SealedKeys(secret).seal(grant);
    expect(await keys.open("join", key, nowMs)).toMatchObject({
      refused: expect.stringContaining("set the secret KEY_SECRET") as unknown,
    });
  },
);
