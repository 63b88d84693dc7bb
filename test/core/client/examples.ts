// The examples of docs/client.md, where the compiler and client.test.ts see them.

import { createClient } from "../../../src/client/index.ts";
import type { ClientOptions, ConsulClient } from "../../../src/client/index.ts";

export function connect(fetch: NonNullable<ClientOptions["fetch"]>): ConsulClient {
  const client = createClient({
    baseUrl: "http://127.0.0.1:8500",
    datacenter: "dc1",
    token: process.env["CONSUL_HTTP_TOKEN"] ?? "",
    fetch,
  });

  return client;
}

export async function readAndWrite(client: ConsulClient): Promise<string[]> {
  const path = { key: "app/color" };
  await client.put("/v1/kv/{key}", { path, body: "blue" });

  const one = await client.get("/v1/kv/{key}", { path });
  const value = one.ok ? one.body[0]?.Value : null; // Base64, as Consul has it.

  const raw = await client.get("/v1/kv/{key}", { path, query: { raw: true } });
  const text = raw.ok ? raw.body : ""; // A string: `raw` makes it another answer.

  const below = await client.get("/v1/kv/{key}", { path: { key: "app" }, query: { keys: true } });
  const names = below.ok ? below.body : []; // A list of names: so does `keys`.

  return [value ?? "", text, ...names];
}

export async function register(client: ConsulClient): Promise<string[]> {
  await client.put("/v1/catalog/register", {
    body: { Node: "n1", Address: "10.0.0.1", Service: { Service: "web", Port: 80 } },
  });
  const healthy = await client.get("/v1/health/service/{service}", {
    path: { service: "web" },
    query: { passing: true, filter: 'Service.Service == "web"' },
  });
  if (!healthy.ok) throw new Error(`${healthy.status}: ${healthy.text}`);
  const addresses = healthy.body.map(({ Node, Service }) => `${Node.Address}:${Service?.Port}`);

  return addresses;
}

export async function refused(client: ConsulClient): Promise<string> {
  const answer = await client.put("/v1/txn", {
    body: [{ KV: { Verb: "cas", Key: "app/color", Index: 99 } }],
    signal: AbortSignal.timeout(5_000),
  });
  const why = answer.ok ? "done" : (answer.body?.Errors?.[0]?.What ?? answer.text);

  return why;
}

export async function follow(client: ConsulClient, signal: AbortSignal): Promise<string[]> {
  const seen: string[] = [];

  for await (const answer of client.watch("/v1/kv/{key}", {
    path: { key: "app" },
    query: { recurse: true, wait: "1m" },
    signal,
  })) {
    if (!answer.ok) throw new Error(answer.text);
    seen.push(answer.body.map(({ Key }) => Key).join(" "));
    if (seen.length === 2) break;
  }

  return seen;
}
