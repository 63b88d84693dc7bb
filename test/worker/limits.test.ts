// Answers and requests that are too much for an object's 128 MB are refused with words, before they end it.

import { env } from "cloudflare:workers";
import { reset } from "cloudflare:test";
import { afterEach, expect, test } from "vitest";

import main from "../../src/index.ts";
import { administrator, status } from "./datacenter.ts";

const headers = { "x-consul-token": administrator };

afterEach(() => reset());

async function fetch(path: string, init: RequestInit = {}): Promise<Response> {
  const request = new Request(`https://registry.example${path}`, { ...init, headers });
  return await main.fetch(request, env);
}

test("a list that is too long is an error that says so, and its server lives on", async () => {
  const value = "x".repeat(500_000);
  const keys = Array.from({ length: 14 }, (_, n) => `big/${n}`);
  for (const key of keys) {
    const response = await fetch(`/v1/kv/${key}`, { method: "PUT", body: value });
    expect(await response.text()).toBe("true");
  }
  const { term } = await status(0);
  const refused = await fetch("/v1/kv/big?recurse");
  expect(refused.status).toBe(413);
  expect(await refused.text()).toMatch(/^The answer is too large \(\d+ > 8388608 bytes\)/);
  const waits = await fetch("/v1/kv/big?recurse&index=1&wait=5s");
  expect(waits.status).toBe(413);
  const part = await fetch("/v1/kv/big/1?recurse");
  expect(await part.json()).toHaveLength(5);
  expect(await (await fetch("/v1/kv/big?keys")).json()).toHaveLength(14);
  expect((await status(0)).term).toBe(term);
});
