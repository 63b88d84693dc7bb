// The contracts of the storage ports, on the SQLite of a Durable Object.

import { env } from "cloudflare:workers";
import { runInDurableObject } from "cloudflare:test";

import { DurableSql } from "../../durable/platform/cloudflare/sql.ts";
import type { Sql } from "../../src/core/lib/sql.ts";
import { raftStorageContract } from "../contract/raft-storage.ts";
import { sqlContract } from "../contract/sql.ts";

/** Each time in an object of its own, of the class that touches its storage least. */
async function withSql(body: (sql: Sql) => void): Promise<void> {
  const stub = env.LAN_POOL.get(env.LAN_POOL.newUniqueId());
  await runInDurableObject(stub, (_pool, state) =>
    body(new DurableSql(state.storage, { began: () => undefined })),
  );
}

sqlContract("a Durable Object", withSql);
raftStorageContract("a Durable Object", withSql);
