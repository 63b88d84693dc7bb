// The real state machine, over the same SQL on node:sqlite: real commands, real snapshots, and
// copies of whole databases for what a restarted instance finds on its disk.

import { decodeBody } from "../../src/core/model/decode.ts";
import { deregistrationSchema, registrationSchema } from "../../src/core/model/schemas.ts";
import { completeRegistration } from "../../src/core/model/registration.ts";
import { defaultSession } from "../../src/core/model/session.ts";
import type { Deregistration, Registration } from "../../src/core/model/types.ts";
import type { Entry } from "../../src/core/raft/types.ts";
import { encodeCommand } from "../../src/core/state/commands.ts";
import type { Command as StateCommand, CommandOutcome } from "../../src/core/state/commands.ts";
import { StateMachine } from "../../src/core/state/machine.ts";
import { NodeSql } from "../../durable/platform/node/sql.ts";
import { decodeCommand } from "./commands.ts";
import type { Command, Found, Result } from "./commands.ts";
import type { SimStateMachine, SnapshotCursor } from "./machine.ts";

/** So small that every state is cut in several chunks. */
const chunkBytesMax = 300;

export class SqliteMachine implements SimStateMachine {
  readonly #sql: NodeSql;
  readonly #machine: StateMachine;

  constructor(sql: NodeSql = new NodeSql()) {
    this.#sql = sql;
    this.#machine = new StateMachine(sql, { datacenter: "dc1" });
  }

  get parkedAt(): number | null {
    return this.#machine.parkedAt;
  }

  apply(entries: readonly Entry[], version: number): (Result | null)[] {
    const logEntries = entries.map(({ index, kind, data }) => {
      return { index, command: kind === "command" ? commandBytes(data, version) : null };
    });
    const applied = this.#sql.transaction(() => this.#machine.applyBatch(logEntries));
    return applied.map(({ outcome }, at) => {
      return entries[at]?.kind === "command" ? resultOf(outcome) : null;
    });
  }

  get(key: string): Found | null {
    const { body } = this.#machine.read("kv.get", { key }, { nowMs: 0 });
    if (body === null) return null;
    const [row] = JSON.parse(body) as { Value: string; ModifyIndex: number; Session?: string }[];
    if (row === undefined) return null;
    return { value: atob(row.Value), index: row.ModifyIndex, session: row.Session ?? null };
  }

  /** The digest that servers compare, and all that they hold. */
  digest(): string {
    const lines = [`digest ${this.#machine.digest} applied ${this.#machine.appliedIndex}`];
    const tables = this.#sql.exec<{ name: string }>(
      "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name",
    );
    for (const { name } of tables) {
      for (const row of this.#sql.exec(`SELECT * FROM ${name} ORDER BY 1, 2`)) {
        lines.push(`${name} ${JSON.stringify(row)}`);
      }
    }
    return lines.join("\n");
  }

  snapshot(): SnapshotCursor {
    const stream = this.#machine.openSnapshot();
    return {
      next: () => {
        const { data, final } = stream.next(chunkBytesMax);
        return { data, last: final };
      },
      close: () => this.#machine.closeSnapshot(stream),
    };
  }

  clear(): void {
    this.#sql.transaction(() => this.#machine.clear());
  }

  install(data: Uint8Array): void {
    this.#sql.transaction(() => this.#machine.installRows(data));
  }

  finishInstall(index: number): void {
    this.#sql.transaction(() => this.#machine.finishInstall(index));
  }

  fork(): SimStateMachine {
    return new SqliteMachine(this.#sql.fork());
  }

  close(): void {
    this.#sql.close();
  }
}

/** The bytes that the real machine is given. What is newer than `version` gets a version that is
 * newer than its code. */
function commandBytes(data: Uint8Array, version: number): Uint8Array {
  const envelope = decodeCommand(data);
  const { command, stampMs } = envelope;
  if (envelope.version > version) {
    return new TextEncoder().encode(JSON.stringify({ v: 99, t: stampMs, c: null }));
  }
  if (command.type === "poison") return new TextEncoder().encode("no command");
  return encodeCommand(stateCommand(command), stampMs);
}

type Translations = {
  readonly [Type in Command["type"]]: (
    command: Extract<Command, { type: Type }>,
  ) => StateCommand | null;
};

const translations: Translations = {
  put: ({ key, value }) => ({ type: "kv.set", ...keyWrite(key, value) }),
  cas: ({ key, value, expectedIndex }) => {
    return { type: "kv.cas", ...keyWrite(key, value), index: String(expectedIndex) };
  },
  delete: ({ key }) => ({ type: "kv.delete", key }),
  acquire: ({ key, value, session }) => ({ type: "kv.lock", ...keyWrite(key, value), session }),
  release: ({ key, value, session }) => ({ type: "kv.unlock", ...keyWrite(key, value), session }),
  openSession: ({ session: id, node, lockDelayMs, deletes }) => {
    const session = {
      ...defaultSession(id, node),
      NodeChecks: [],
      Checks: [],
      LockDelay: lockDelayMs * 1_000_000,
      Behavior: deletes ? "delete" : "release",
    };
    return { type: "session.create", session };
  },
  closeSession: ({ session: id }) => ({ type: "session.destroy", id }),
  register: ({ node }) => {
    const body = JSON.stringify({ Node: node, Address: "10.0.0.1" });
    const registration = decodeBody(registrationSchema, body, "refuse") as Registration;
    return { type: "catalog.register", registration: completeRegistration(registration) };
  },
  deregister: ({ node }) => {
    const body = JSON.stringify({ Node: node });
    const deregistration = decodeBody(deregistrationSchema, body, "refuse") as Deregistration;
    return { type: "catalog.deregister", deregistration };
  },
  poison: () => null,
};

function stateCommand(command: Command): StateCommand {
  const translate = translations[command.type] as (given: Command) => StateCommand | null;
  const translated = translate(command);
  if (translated === null) throw new Error(`${command.type} is no command of the state machine`);
  return translated;
}

function keyWrite(key: string, value: string): { key: string; value: string; flags: string } {
  return { key, value: btoa(value), flags: "0" };
}

function resultOf(outcome: CommandOutcome): Result {
  if (outcome.ok) return outcome.value === false ? "mismatch" : "ok";
  return outcome.error.code === "internal" ? "internal" : "refused";
}
