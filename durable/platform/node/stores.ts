// Where the Node host keeps objects: the files and tables in which workerd keeps them, so that a data directory may be
// used by either. One SQLite file for each object, named by the hash that is the object's id; its alarm stands in that
// file's `_cf_METADATA` and, with the alarms of all objects of the class, in `metadata.sqlite`, in nanoseconds.

import { createHash, createHmac } from "node:crypto";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

import type { ObjectStore } from "../host/object-host.ts";
import type { ObjectAddress, ObjectKind } from "../platform.ts";
import { nanosecondsOf, NodeSql } from "./sql.ts";

const classNames: Record<ObjectKind, string> = {
  server: "Server",
  lanPool: "LanPool",
  edgeAgent: "EdgeAgent",
  checker: "Checker",
};

export interface Stores {
  open(address: ObjectAddress): ObjectStore;
  /** Objects that have an alarm armed. */
  armed(): ObjectAddress[];
  close(): void;
}

/** The id of an object: 64 hex digits that depend on its class and its name alone. */
export function objectId(workerName: string, { kind, name }: ObjectAddress): string {
  const key = createHash("sha256").update(`${workerName}-${classNames[kind]}`).digest();
  const half = createHmac("sha256", key).update(name).digest().subarray(0, 16);
  const check = createHmac("sha256", key).update(half).digest().subarray(0, 16);
  return Buffer.concat([half, check]).toString("hex");
}

/** Nothing is kept. */
export class MemoryStores implements Stores {
  open(): ObjectStore {
    const sql = new NodeSql();
    let armedMs: number | null = null;
    return {
      sql,
      alarmMs: () => armedMs,
      saveAlarm: (atMs) => {
        armedMs = atMs;
      },
      close: () => sql.close(),
    };
  }

  armed(): ObjectAddress[] {
    return [];
  }

  close(): void {}
}

/** Below a directory that workerd would be given as `localDisk`. */
export class FileStores implements Stores {
  readonly #directory: string;
  readonly #workerName: string;
  readonly #alarms = new Map<ObjectKind, AlarmTable>();

  constructor(directory: string, workerName: string) {
    this.#directory = directory;
    this.#workerName = workerName;
  }

  open(address: ObjectAddress): ObjectStore {
    const id = objectId(this.#workerName, address);
    const alarms = this.#alarmsOf(address.kind);
    const sql = new NodeSql(join(this.#folder(address.kind), `${id}.sqlite`));
    let armedMs = sql.loadAlarm();
    return {
      sql,
      alarmMs: () => armedMs,
      saveAlarm: (atMs) => {
        sql.saveAlarm(atMs);
        alarms.save(id, address.name, atMs);
        armedMs = atMs;
      },
      close: () => sql.close(),
    };
  }

  armed(): ObjectAddress[] {
    const kinds = Object.keys(classNames) as ObjectKind[];
    return kinds.flatMap((kind) => {
      const names = this.#alarmsOf(kind).names();
      return names.map((name) => ({ kind, name }));
    });
  }

  close(): void {
    for (const table of this.#alarms.values()) table.close();
    this.#alarms.clear();
  }

  #folder(kind: ObjectKind): string {
    return join(this.#directory, `${this.#workerName}-${classNames[kind]}`);
  }

  #alarmsOf(kind: ObjectKind): AlarmTable {
    const known = this.#alarms.get(kind);
    if (known) return known;
    mkdirSync(this.#folder(kind), { recursive: true });
    const table = new AlarmTable(join(this.#folder(kind), "metadata.sqlite"));
    this.#alarms.set(kind, table);
    return table;
  }
}

/** The alarms of all objects of one class, by which a host that starts finds those that are armed. */
class AlarmTable {
  readonly #database: DatabaseSync;

  constructor(file: string) {
    this.#database = new DatabaseSync(file);
    this.#database.exec("PRAGMA journal_mode = WAL");
    this.#database.exec("PRAGMA synchronous = FULL");
    this.#database.exec(`CREATE TABLE IF NOT EXISTS _cf_ALARM (
      actor_id TEXT PRIMARY KEY, scheduled_time INTEGER, actor_name TEXT) WITHOUT ROWID`);
  }

  names(): string[] {
    const rows = this.#database
      .prepare("SELECT actor_name FROM _cf_ALARM WHERE actor_name IS NOT NULL ORDER BY actor_id")
      .all() as { actor_name: string }[];
    return rows.map(({ actor_name: name }) => name);
  }

  save(id: string, name: string, atMs: number | null): void {
    if (atMs === null) {
      this.#database.prepare("DELETE FROM _cf_ALARM WHERE actor_id = ?").run(id);
      return;
    }
    this.#database
      .prepare("INSERT OR REPLACE INTO _cf_ALARM VALUES (?, ?, ?)")
      .run(id, nanosecondsOf(atMs), name);
  }

  close(): void {
    this.#database.close();
  }
}
