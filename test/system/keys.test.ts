// A datacenter with keys, and one name for one member: who does not belong is kept out, and both sides say so.

import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";

import { eventually } from "../support/eventually.ts";
import { Proconsul, stopAll, temporaryDirectory } from "../support/proconsul.ts";

const key = (byte: number): string => Buffer.alloc(32, byte).toString("base64");

let server: Proconsul;

beforeAll(async () => {
  server = await Proconsul.start({
    config: {
      server: true,
      bootstrap: true,
      bind_addr: "127.0.0.1",
      node_name: "server",
      encrypt: key(1),
      server_key: "only for servers of this datacenter",
      data_dir: join(temporaryDirectory(), "data"),
    },
  });
});
afterAll(stopAll);

async function client(node: string, encrypt?: string): Promise<Proconsul> {
  return await Proconsul.spawn({
    config: {
      bind_addr: "127.0.0.1",
      node_name: node,
      data_dir: join(temporaryDirectory(), "data"),
      retry_join: [`127.0.0.1:${server.ports.serf_lan}`],
      ...(encrypt === undefined ? {} : { encrypt }),
    },
  });
}

async function says(agent: Proconsul, text: string): Promise<void> {
  await eventually(() => agent.output.includes(text), { what: text, limitMs: 10_000 });
}

test("an agent with the gossip key belongs to it", async () => {
  const agent = await client("it's a client", key(1));
  await agent.led();
  await eventually(
    async () => (await server.get("/v1/catalog/nodes")).text.includes("it's a client"),
    { what: "it is a member" },
  );
  expect(agent.output).not.toContain("cannot open");
  await agent.stop();
});

test.each([
  ["without a gossip key", undefined, "the gossip key is missing (encrypt)"],
  ["with another gossip key", key(2), "the gossip key is wrong (encrypt)"],
])("an agent %s is kept out and told why", async (_what, encrypt, reason) => {
  const agent = await client("stranger", encrypt);
  await says(agent, "cannot open the link to a server");
  await says(agent, "cannot open the gossip socket");
  expect(agent.output).toContain(reason);
  expect(server.output).toContain("refused a peer or agent");
  expect((await agent.get("/v1/kv/a")).status).toBe(500);
  expect((await server.get("/v1/catalog/nodes")).text).not.toContain("stranger");
  await agent.stop();
});

test("nobody without the server key calls a server, gossip key or not", async () => {
  const body = JSON.stringify([
    { id: 1, write: { type: "kv.set", key: "a", value: "", flags: "0" } },
  ]);
  for (const headers of [{}, { "x-proconsul-server-key": key(1) }]) {
    for (const op of ["requests", "forward", "join", "status"]) {
      const answer = await fetch(`${server.serverUrl}/rpc/${op}`, {
        method: "POST",
        headers,
        body,
      });
      expect(answer.status, op).toBe(403);
    }
  }
});

test("a name that a live member has is refused to another node, and both say so", async () => {
  const first = await client("web-1", key(1));
  await first.led();
  await eventually(async () => (await server.get("/v1/catalog/nodes")).text.includes("web-1"), {
    what: "the first is a member",
  });
  const second = await client("web-1", key(1));
  const refusal = 'member name "web-1" is held by the live member with id';
  await says(second, refusal.replaceAll('"', String.raw`\"`));
  await says(server, refusal);
  const checks = await server.get("/v1/health/node/web-1");
  expect(checks.json<{ Status: string }[]>()[0]?.Status).toBe("passing");
  await Promise.all([first.stop(), second.stop()]);
});
