// Keys, locks, waiting queries, transactions; and that a leader that ends in the midst of writes loses none.

import type { Check } from "./check.ts";
import { expect, pause, type Registry } from "./registry.ts";

export const keys: Check = {
  name: "keys, locks, waiting queries",
  async run({ registry, prefix }) {
    const key = `/v1/kv/${prefix}/key`;
    try {
      await registry.put(key, "one");
      const first = await registry.get(key);
      const index = first.headers.get("x-consul-index") ?? "";
      const stale = await registry.put(`${key}?cas=1`, "lost");
      expect(stale.text.trim() === "false", "a write with an old index was taken");
      const waiting = registry.get(`${key}?index=${index}&wait=30s`, { timeoutMs: 45_000 });
      await pause(500);
      const writtenMs = performance.now();
      await registry.put(key, "two");
      const woken = await waiting;
      const wokenMs = Math.round(performance.now() - writtenMs);
      expect(valueIn(woken.text) === "two", "a waiting query was woken with an old value");
      await lock(registry, key);
      const txn = await registry.put("/v1/txn", [
        { KV: { Verb: "set", Key: `${prefix}/txn`, Value: "dHdv" } },
        { KV: { Verb: "get", Key: `${prefix}/txn` } },
      ]);
      expect(txn.json<{ Results: unknown[] }>().Results.length === 2, "a transaction was not done");
      return `a waiting query was woken ${wokenMs} ms after the write began`;
    } finally {
      await registry.ask(`/v1/kv/${prefix}/?recurse`, { method: "DELETE" });
    }
  },
};

async function lock(registry: Registry, key: string): Promise<void> {
  const sessions = await Promise.all(
    [1, 2].map(async () =>
      (await registry.put("/v1/session/create", { TTL: "60s" })).json<{ ID: string }>(),
    ),
  );
  const take = async (at: number): Promise<boolean> =>
    (await registry.put(`${key}?acquire=${sessions[at]?.ID ?? ""}`, "held")).text.trim() === "true";
  try {
    expect(await take(0), "a free lock was not given");
    expect(!(await take(1)), "a lock was given twice");
  } finally {
    for (const { ID: id } of sessions) await registry.put(`/v1/session/destroy/${id}`);
  }
}

function valueIn(text: string): string {
  const [row] = JSON.parse(text) as { Value: string }[];
  return Buffer.from(row?.Value ?? "", "base64").toString();
}

const writes = 60;
const resetAfter = 20;
const silenceMax = 15_000;

export const failover: Check = {
  name: "a leader that ends loses nothing",
  async run({ registry, prefix }) {
    const { Servers: servers } = (await registry.get("/v1/operator/raft/configuration")).json<{
      Servers: { Node: string; Leader: boolean }[];
    }>();
    const leader = servers.find(({ Leader }) => Leader)?.Node ?? "";
    const [dc = ""] = (await registry.get("/v1/catalog/datacenters")).json<string[]>();
    const acknowledged: number[] = [];
    let longestMs = 0;
    try {
      for (let n = 0; n < writes; n++) {
        if (n === resetAfter) {
          await registry.put(`/v1/operator/reset/${dc}/server/${leader.replace("server-", "")}`);
        }
        longestMs = Math.max(longestMs, await written(registry, `${prefix}/w${n}`, String(n)));
        acknowledged.push(n);
      }
      for (const n of acknowledged) {
        const { text } = await registry.get(`/v1/kv/${prefix}/w${n}?raw&consistent`);
        expect(text === String(n), `write ${n} was acknowledged and is ${JSON.stringify(text)}`);
      }
    } finally {
      await registry.ask(`/v1/kv/${prefix}/?recurse`, { method: "DELETE" });
    }
    return `${acknowledged.length} writes kept; the longest took ${Math.round(longestMs)} ms`;
  },
};

/** Writes until it is taken, as a client does whose request was refused or cut off. The same value twice is one. */
async function written(registry: Registry, key: string, value: string): Promise<number> {
  const startMs = performance.now();
  for (;;) {
    const reply = await registry
      .ask(`/v1/kv/${key}`, { method: "PUT", body: value, timeoutMs: 10_000 })
      .catch(() => null);
    const tookMs = performance.now() - startMs;
    if (reply?.status === 200 && reply.text.trim() === "true") return tookMs;
    expect(tookMs < silenceMax, `no write is taken: ${reply?.status} ${reply?.text}`);
    await pause(200);
  }
}
