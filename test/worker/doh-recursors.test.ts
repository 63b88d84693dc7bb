// DNS over HTTPS with resolvers for all other names, which a deployer may name.

import { env } from "cloudflare:workers";
import { encode } from "@leichtgewicht/dns-packet";
import { afterEach, beforeAll, beforeEach, expect, test, vi } from "vitest";

import main from "../../src/index.ts";
import { put } from "./datacenter.ts";

const messageType = "application/dns-message";

beforeAll(async () => {
  await put(0, "warm", "up");
});

const recursors = ["https://first.example/dns-query", "https://second.example/dns-query"];
let asked: string[];

beforeEach(() => {
  asked = [];
});
afterEach(() => void vi.restoreAllMocks());

/** What is answered by the resolvers, in order; the test's own machinery asks by `fetch`, too. */
async function askedWith(path: string, ...answers: Response[]): Promise<Response> {
  const { fetch } = globalThis;
  vi.spyOn(globalThis, "fetch").mockImplementation(async (input, init) => {
    const { url } = new Request(input);
    if (!recursors.includes(url)) return await fetch(input, init);
    asked.push(url);
    return answers[asked.length - 1] ?? new Response("", { status: 503 });
  });
  const url = `https://registry.example/dns-query${path}`;
  return await main.fetch(new Request(url), { ...env, DNS: { recursors } });
}

function upstream(): Response {
  const answers = [{ name: "example.com", type: "A", ttl: 300, data: "192.0.2.1" }];
  const questions = [{ name: "example.com", type: "A" }];
  const reply = encode({ type: "response", id: 0, flags: 0x180, questions, answers } as never);
  return new Response(Uint8Array.from(reply), {
    headers: { "content-type": messageType, age: "12" },
  });
}

test("are asked of the resolvers that the deployer named", async () => {
  const response = await askedWith("?name=example.com", upstream());
  expect(await response.json()).toMatchObject({
    Status: 0,
    RA: true,
    Answer: [{ data: "192.0.2.1" }],
  });
  expect(response.headers.get("cache-control")).toBe("private, max-age=300");
  expect(response.headers.get("age")).toBe("12");
  expect(asked).toEqual(recursors.slice(0, 1));
});

test("of the next one when the first fails, with a line about it; of none: SERVFAIL", async () => {
  const warned = vi.spyOn(console, "warn").mockImplementation(() => undefined);
  const second = await askedWith(
    "?name=example.com",
    new Response("", { status: 500 }),
    upstream(),
  );
  expect(await second.json()).toMatchObject({ Status: 0 });
  expect(warned.mock.calls).toEqual([
    ["DNS recursor https://first.example gave no answer: status 500"],
  ]);
  asked = [];
  const none = await askedWith("?name=example.com");
  expect(await none.json()).toMatchObject({ Status: 2 });
  expect(asked).toEqual(recursors);
});

test("ours are asked of nobody else", async () => {
  const response = await askedWith("?name=host.node.consul");
  expect(await response.json()).toMatchObject({ Status: 3, RA: true });
  expect(asked).toEqual([]);
});
