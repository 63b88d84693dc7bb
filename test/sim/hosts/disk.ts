// A simulated disk under real SQLite: what a process writes is there for it at once, and becomes durable some time
// later, transaction by transaction, in order. Whatever the process sends waits for what it wrote before (the output
// gate). A crash leaves what was durable.

import { NodeSql } from "../../../durable/platform/node/sql.ts";
import type { ObjectStore } from "../../../durable/platform/host/object-host.ts";
import type { ObjectAddress } from "../../../durable/platform/platform.ts";
import type { Sql, SqlRow, SqlValue } from "../../../src/core/lib/sql.ts";
import type { EventQueue } from "../event-queue.ts";

type Statement = readonly [text: string, parameters: readonly SqlValue[]];

const writes = /^\s*(insert|update|delete|create|drop|alter|replace|with)\b/i;

/** Thrown by a write on purpose, as a full or failing disk would. */
export class DiskFault extends Error {
  override name = "DiskFault";
}

export class SimDisk {
  readonly #queue: EventQueue;
  readonly latencyMs: () => number;
  readonly #durable = new Map<string, NodeSql>();
  readonly #alarms = new Map<string, number | null>();
  #life = 0;
  #durableAtMs = 0;
  #unsynced = 0;
  /** Counts down transactions; the one that reaches 0 fails. */
  failIn = Number.POSITIVE_INFINITY;
  /** When one failed last. */
  failedMs = 0;

  constructor(queue: EventQueue, latencyMs: () => number) {
    this.#queue = queue;
    this.latencyMs = latencyMs;
  }

  /** Runs `send` once everything that was written so far is durable. */
  gate = (send: () => void): void => {
    if (this.#unsynced === 0) return send();
    const life = this.#life;
    this.#queue.at(this.#durableAtMs, () => {
      if (life === this.#life) send();
    });
  };

  /** The process ends, and what was not durable is lost. */
  crash(): void {
    this.#life += 1;
    this.#unsynced = 0;
  }

  wipe(): void {
    for (const sql of this.#durable.values()) sql.close();
    this.#durable.clear();
    this.#alarms.clear();
  }

  open(address: ObjectAddress): ObjectStore {
    const key = keyOf(address);
    const durable = this.#durable.get(key) ?? new NodeSql();
    this.#durable.set(key, durable);
    const live = durable.fork();
    return {
      sql: new JournaledSql(live, {
        before: () => this.#mayFail(),
        committed: (statements) => this.#committed(durable, statements),
      }),
      alarmMs: () => this.#alarms.get(key) ?? null,
      saveAlarm: (atMs) => void this.#alarms.set(key, atMs),
      close: () => live.close(),
    };
  }

  #mayFail(): void {
    this.failIn -= 1;
    if (this.failIn !== 0) return;
    this.failIn = Number.POSITIVE_INFINITY;
    this.failedMs = this.#queue.now;
    throw new DiskFault("SQLITE_FULL: database or disk is full");
  }

  #committed(durable: NodeSql, statements: readonly Statement[]): void {
    const life = this.#life;
    this.#durableAtMs = Math.max(this.#durableAtMs, this.#queue.now + this.latencyMs());
    this.#unsynced += 1;
    this.#queue.at(this.#durableAtMs, () => {
      if (life !== this.#life) return;
      this.#unsynced -= 1;
      durable.transaction(() => {
        for (const [text, parameters] of statements) durable.exec(text, ...parameters);
      });
    });
  }

  /** Changes what is durable behind everybody's back. */
  corrupt(address: ObjectAddress, statement: string): void {
    this.#durable.get(keyOf(address))?.exec(statement);
  }

  close(): void {
    this.crash();
    this.wipe();
  }
}

function keyOf({ kind, name }: ObjectAddress): string {
  return `${kind} ${name}`;
}

interface Journal {
  before(): void;
  committed(statements: readonly Statement[]): void;
}

class JournaledSql implements Sql {
  readonly #sql: Sql;
  readonly #journal: Journal;
  /** Statements of the transactions that are open, the outermost first. */
  readonly #open: Statement[][] = [];

  constructor(sql: Sql, journal: Journal) {
    this.#sql = sql;
    this.#journal = journal;
  }

  exec<Row extends SqlRow = SqlRow>(text: string, ...parameters: SqlValue[]): Row[] {
    const rows = this.#sql.exec<Row>(text, ...parameters);
    if (writes.test(text)) {
      // Bytes may be reused by whoever gave them.
      const copy = parameters.map((value) => (value instanceof Uint8Array ? value.slice() : value));
      const current = this.#open.at(-1);
      if (current) current.push([text, copy]);
      else this.#journal.committed([[text, copy]]);
    }
    return rows;
  }

  transaction<Result>(body: () => Result): Result {
    if (this.#open.length === 0) this.#journal.before();
    const statements: Statement[] = [];
    this.#open.push(statements);
    try {
      const result = this.#sql.transaction(body);
      this.#open.pop();
      const outer = this.#open.at(-1);
      if (outer) outer.push(...statements);
      else if (statements.length > 0) this.#journal.committed(statements);
      return result;
    } catch (failure) {
      this.#open.length = this.#open.indexOf(statements);
      throw failure;
    }
  }
}
