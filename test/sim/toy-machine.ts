// Consul's rules for keys, locks and sessions on a map in memory: the quick state machine of the
// simulator, and the model by which the real one is judged.

import type { Entry } from "../../src/core/raft/types.ts";
import { decodeCommand } from "./commands.ts";
import type { Command, Found, Result } from "./commands.ts";
import type { SimStateMachine, SnapshotCursor } from "./machine.ts";

interface Session {
  node: string;
  lockDelayMs: number;
  deletes: boolean;
}

type Row = Found | Session | number;

type Handlers = {
  readonly [Type in Command["type"]]: (
    machine: ToyMachine,
    command: Extract<Command, { type: Type }>,
    index: number,
  ) => Result;
};

const clockRow = "clock";

export class ToyMachine implements SimStateMachine {
  /** "key k0", "session 7", "node n", "delay l0" and the clock. */
  readonly rows: Map<string, Row>;
  parkedAt: number | null = null;
  /** Open snapshots. */
  readonly cursors = new Set<ToyCursor>();

  constructor(rows: Map<string, Row> = new Map()) {
    this.rows = rows;
  }

  apply(entries: readonly Entry[], version = Number.POSITIVE_INFINITY): (Result | null)[] {
    this.parkedAt = null;
    const results: (Result | null)[] = [];
    for (const { kind, data, index } of entries) {
      if (kind !== "command") {
        results.push(null);
        continue;
      }
      const envelope = decodeCommand(data);
      if (envelope.version > version) {
        this.parkedAt = index;
        break;
      }
      results.push(this.#run(envelope.command, envelope.stampMs, index));
    }
    return results;
  }

  #run(command: Command, stampMs: number, index: number): Result {
    if (command.type === "poison") return "internal";
    this.put(clockRow, Math.max(this.nowMs, stampMs));
    const handler = handlers[command.type] as (...args: unknown[]) => Result;
    return handler(this, command, index);
  }

  /** Leader time, which never goes back. */
  get nowMs(): number {
    return (this.rows.get(clockRow) as number | undefined) ?? 0;
  }

  get(key: string): Found | null {
    return (this.rows.get(`key ${key}`) as Found | undefined) ?? null;
  }

  session(id: string): Session | undefined {
    return this.rows.get(`session ${id}`) as Session | undefined;
  }

  put(name: string, row: Row): void {
    this.rows.set(name, row);
    for (const cursor of this.cursors) cursor.changed(name);
  }

  remove(name: string): void {
    if (!this.rows.delete(name)) return;
    for (const cursor of this.cursors) cursor.changed(name);
  }

  /** Row names in the order in which snapshots send them. */
  names(prefix = ""): string[] {
    return [...this.rows.keys()].filter((name) => name.startsWith(prefix)).toSorted();
  }

  digest(): string {
    return this.names()
      .map((name) => `${name}=${JSON.stringify(this.rows.get(name))}`)
      .join("\n");
  }

  snapshot(): SnapshotCursor {
    const cursor = new ToyCursor(this);
    this.cursors.add(cursor);
    return cursor;
  }

  clear(): void {
    this.rows.clear();
    this.cursors.clear();
  }

  install(data: Uint8Array): void {
    const sent = JSON.parse(new TextDecoder().decode(data)) as [string, Row | null][];
    for (const [name, row] of sent) {
      if (row === null) this.rows.delete(name);
      else this.rows.set(name, row);
    }
  }

  finishInstall(): void {
    this.parkedAt = null;
  }

  fork(): SimStateMachine {
    return new ToyMachine(new Map(this.rows));
  }

  close(): void {
    this.cursors.clear();
  }
}

const handlers: Handlers = {
  put: (machine, { key, value }, index) => {
    const session = machine.get(key)?.session ?? null;
    machine.put(`key ${key}`, { value, index, session });
    return "ok";
  },
  cas: (machine, { key, value, expectedIndex }, index) => {
    const existing = machine.get(key);
    if ((existing?.index ?? 0) !== expectedIndex) return "mismatch";
    machine.put(`key ${key}`, { value, index, session: existing?.session ?? null });
    return "ok";
  },
  delete: (machine, { key }) => {
    machine.remove(`key ${key}`);
    return "ok";
  },
  acquire: (machine, { key, value, session }, index) => {
    const delayedUntilMs = (machine.rows.get(`delay ${key}`) as number | undefined) ?? 0;
    if (delayedUntilMs > machine.nowMs) return "mismatch";
    if (machine.session(session) === undefined) return "refused";
    const holder = machine.get(key)?.session ?? session;
    if (holder !== session) return "mismatch";
    machine.put(`key ${key}`, { value, index, session });
    return "ok";
  },
  release: (machine, { key, value, session }, index) => {
    if (machine.get(key)?.session !== session) return "mismatch";
    machine.put(`key ${key}`, { value, index, session: null });
    return "ok";
  },
  openSession: (machine, { session, node, lockDelayMs, deletes }) => {
    if (!machine.rows.has(`node ${node}`)) return "refused";
    machine.put(`session ${session}`, { node, lockDelayMs, deletes });
    return "ok";
  },
  closeSession: (machine, { session }, index) => {
    endSession(machine, session, index);
    return "ok";
  },
  register: (machine, { node }) => {
    if (!machine.rows.has(`node ${node}`)) machine.put(`node ${node}`, 1);
    return "ok";
  },
  deregister: (machine, { node }, index) => {
    const ids = machine.names("session ").map((name) => name.slice("session ".length));
    for (const id of ids) if (machine.session(id)?.node === node) endSession(machine, id, index);
    machine.remove(`node ${node}`);
    return "ok";
  },
  poison: () => "internal",
};

/** What its locks become when a session is gone, and how long nobody may take them. */
function endSession(machine: ToyMachine, id: string, index: number): void {
  const session = machine.session(id);
  if (session === undefined) return;
  machine.remove(`session ${id}`);
  for (const name of machine.names("key ")) {
    const held = machine.rows.get(name) as Found;
    if (held.session !== id) continue;
    const key = name.slice("key ".length);
    if (session.lockDelayMs > 0) machine.put(`delay ${key}`, machine.nowMs + session.lockDelayMs);
    if (session.deletes) machine.remove(name);
    else machine.put(name, { ...held, session: null, index });
  }
}

/** One row a chunk, so that even a small state is cut in several; changed rows travel again. */
class ToyCursor implements SnapshotCursor {
  readonly #machine: ToyMachine;
  #passed = "";
  #dirty = new Set<string>();

  constructor(machine: ToyMachine) {
    this.#machine = machine;
  }

  changed(name: string): void {
    if (name <= this.#passed) this.#dirty.add(name);
  }

  next(): { data: Uint8Array; last: boolean } {
    const rest = this.#machine.names().filter((name) => name > this.#passed);
    const last = rest.length <= 1;
    const names = rest.slice(0, 1);
    if (last) names.push(...this.#dirty);
    this.#passed = rest[0] ?? this.#passed;
    const rows = names.map((name) => [name, this.#machine.rows.get(name) ?? null]);
    return { data: new TextEncoder().encode(JSON.stringify(rows)), last };
  }

  close(): void {
    this.#machine.cursors.delete(this);
  }
}
