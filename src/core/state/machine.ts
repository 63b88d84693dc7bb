// The replicated state machine: commands in log order go in, answers come out, everything lives in SQLite. It
// does not know who orders its commands. The applied index changes in the same transaction as the tables, so
// each command takes effect exactly once, and every server computes the same result for it.
//
// A host does four things: `admit` a command before it proposes it, `applyBatch` what was committed, `read`,
// and move whole states (`openSnapshot`, `clear`, `installRows`, `finishInstall`).

import { assert } from "../lib/assert.ts";
import type { Sql } from "../lib/sql.ts";
import { ServiceError } from "../model/errors.ts";
import type { JsonValue } from "../model/json.ts";
import { limits } from "../model/limits.ts";
import { type Applied, internalError, type LogEntry, succeeded } from "./applied.ts";
import type { AnyCommand, Area } from "./area.ts";
import { type AclSettings, aclsOff } from "../acl/settings.ts";
import { allowAll } from "./authorizer.ts";
import type { Authorizer, AuthorizerSource } from "./authorizer.ts";
import type { Command, CommandOutcome } from "./commands.ts";
import { Archives, type OpenArchive } from "./archive/archives.ts";
import { type DecodedEntry, decodeEntries } from "./entries.ts";
import { Digest } from "./digest.ts";
import type { DigestMark } from "./digest.ts";
import { encodeEnvelope } from "./envelope.ts";
import type { CommandEnvelope, CommandOrigin } from "./envelope.ts";
import { type Asker, Gate } from "./gate.ts";
import { engine } from "./engine.ts";
import { Meta, metaTable } from "./meta.ts";
import { ReadCache } from "./read-cache.ts";
import { evaluateRead } from "./read.ts";
import type { Evaluated } from "./read.ts";
import type { ReadName } from "./reads.ts";
import { AreaRegistry, expressCommand } from "./registry.ts";
import { installChunk, SnapshotStream } from "./snapshot.ts";
import type { Change, State } from "./state.ts";
import { isStorageFault } from "../lib/storage-fault.ts";
import { Tables } from "./tables.ts";
import { areas } from "./tables/index.ts";
import { UndoneResult } from "./undone.ts";
import { firstVersions } from "./versions.ts";
import type { CommandVersions } from "./versions.ts";
import { requireShort } from "./view.ts";
import type { Topic } from "./watch.ts";

export type { Applied, LogEntry } from "./applied.ts";
export type { Evaluated } from "./read.ts";

export interface MachineOptions {
  datacenter: string;
  authorizers?: AuthorizerSource;
  acl?: AclSettings;
  /** Longest body of an answer, in UTF-16 units. */
  answerLengthMax?: number;
  /** What this server's code knows; every area unless told otherwise. */
  areas?: readonly Area[];
}

export class StateMachine {
  readonly #sql: Sql;
  readonly #registry: AreaRegistry;
  readonly #state: State;
  readonly #tables: Tables;
  readonly #archives: Archives;
  /** Who may do what. */
  readonly gate: Gate;
  readonly #cache = new ReadCache(limits.readCacheBytesMax);
  readonly #digest = new Digest();
  readonly #snapshots = new Set<SnapshotStream>();
  readonly #answerLengthMax: number;
  #parkedAt: number | null = null;

  /** Creates or migrates the tables. Throws an Error when newer code than this wrote them. */
  constructor(sql: Sql, options: MachineOptions) {
    const registry = new AreaRegistry([engine, ...(options.areas ?? areas)]);
    this.#archives = new Archives(sql, registry, (definition, key, row) => {
      for (const snapshot of this.#snapshots) snapshot.noteChange(definition.name, key);
      this.#digest.noteRow(definition, key, row);
    });
    this.#tables = this.#archives.tables;
    const { staging } = this.#archives;
    this.#sql = sql;
    this.#registry = registry;
    const table: State["table"] = (definition) => this.#tables.of(definition);
    const meta = new Meta(table(metaTable));
    const { datacenter, acl = aclsOff } = options;
    this.#state = { sql, meta, datacenter, acl, table, staging };
    this.gate = new Gate(registry, this.#state, options.authorizers ?? allowAll);
    this.#answerLengthMax = options.answerLengthMax ?? limits.hostedAnswerLengthMax;
    this.reload();
  }

  /** Index of the last entry whose effect is in the tables. */
  get appliedIndex(): number {
    return this.#state.meta.appliedIndex;
  }

  /** The same as clients see it, who may have been shown greater indexes than the log has come to. */
  get visibleIndex(): number {
    return this.appliedIndex + this.#state.meta.indexOffset;
  }

  /** Where in the log something stands whose index clients see. */
  logIndexOf(visible: number): number {
    return visible - this.#state.meta.indexOffset;
  }

  /** Hash of what was applied since the last {@link digestMark}; equal on servers with the same applied index. */
  get digest(): number {
    return this.#state.meta.digest;
  }

  /** For comparing with other servers: what was applied up to the newest multiple of 1,024 entries; null: not yet. */
  get digestMark(): DigestMark | null {
    return this.#digest.mark;
  }

  /** The same for the last few multiples, the newest last. */
  get digestMarks(): readonly DigestMark[] {
    return this.#digest.marks;
  }

  /** Index of the entry that only a newer version can apply; nothing is applied from there on. */
  get parkedAt(): number | null {
    return this.#parkedAt;
  }

  /**
   * Judges a command before it is proposed: permission, shape, and whatever does not depend on state. Returns
   * the command to propose, with defaults filled in. Throws ServiceError.
   */
  admit(command: Command, asker: Asker): Command {
    return this.gate.admit(command, asker) as Command;
  }

  /** Newest version of each type of command that this server can apply: what it announces to its peers. */
  get knownCommands(): CommandVersions {
    return this.#registry.versions;
  }

  /** Whether a command can be proposed in its newest version without asking what the voters know. */
  isCommonlyKnown({ type }: { type: string }): boolean {
    return this.#commonVersion(type) >= (this.knownCommands[type] ?? 1);
  }

  /**
   * The bytes of a log entry for an admitted command, in the newest version that every voter can apply. `common`
   * is what all voters announced ({@link commonVersions}). Throws ServiceError when none serves.
   */
  encode(
    command: Command,
    stampMs: number,
    common: CommandVersions = {},
    origin: CommandOrigin | null = null,
  ): Uint8Array {
    const definition = this.#registry.commands.get(command.type);
    assert(definition, `unknown command ${command.type}`);
    const known = Math.max(this.#commonVersion(command.type), common[command.type] ?? 0);
    return encodeEnvelope({ stampMs, origin, ...expressCommand(definition, command, known) });
  }

  /** What is known without asking: the first format, and what the log already made everybody know. */
  #commonVersion(type: string): number {
    return Math.max(firstVersions[type] ?? 0, this.#state.meta.usedVersions[type] ?? 0);
  }

  /**
   * Applies committed entries in order, each exactly once. Must run inside the caller's transaction. A command
   * that throws unexpectedly leaves nothing behind and has the outcome `internal error`. Stops before an entry
   * of a newer version ({@link parkedAt}). Throws only when the storage fails.
   */
  applyBatch(entries: readonly LogEntry[]): Applied[] {
    const { decoded: fresh, parkedAt } = decodeEntries(
      entries.filter(({ index }) => index > this.appliedIndex),
      this.knownCommands,
    );
    this.#parkedAt = parkedAt;
    if (fresh.length === 0) return [];
    let applied: Applied[];
    try {
      applied = this.#inOneTransaction(fresh);
    } catch (failure) {
      if (isStorageFault(failure)) throw failure;
      this.reload();
      applied = fresh.flatMap((entry) => this.#alone(entry));
    }
    if (applied.some(({ replaced }) => replaced)) this.#forgetState();
    for (const { touched } of applied) this.#cache.invalidate(touched);
    return applied;
  }

  /** Reads the small state again, after a rollback of the caller's or an install. */
  reload(): void {
    this.#forgetRows();
    this.#state.meta.load();
    this.#digest.reload(this.appliedIndex);
    this.#cache.clear();
  }

  /** Answers a question about the state as it is now. Throws ServiceError. */
  read(
    op: ReadName,
    args: Record<string, JsonValue>,
    context: { nowMs: number; token?: string },
  ): Evaluated {
    const read = this.#registry.reads.get(op);
    if (!read) throw new ServiceError("malformed", `unknown read ${JSON.stringify(op)}`);
    const { nowMs } = context;
    const principal = this.gate.principal(context);
    const { authorizer, bearer } = principal;
    const authorizerOf = (token: string): Authorizer =>
      this.gate.principal({ token, nowMs }).authorizer;
    const answerLengthMax = this.#answerLengthMax;
    const view = { ...this.#state, authorizer, authorizerOf, bearer, nowMs, answerLengthMax };
    const question = { op, args: args as never };
    const evaluated = evaluateRead(view, this.#cache, read, question, principal);
    requireShort(view, evaluated.body?.length ?? 0);
    return evaluated;
  }

  /**
   * Answers a question that an area exports for this server's own duties (timers, plans), past permissions and
   * topics.
   */
  ask<Answer>(question: (state: State) => Answer): Answer {
    return question(this.#state);
  }

  /** Begins an archive of the state as it is now; close it when it is no longer wanted. */
  openArchive(): OpenArchive {
    return this.#archives.open(this.#state, this.visibleIndex);
  }

  closeArchive(archive: OpenArchive): void {
    this.#archives.close(archive);
  }

  /** Begins a copy of the whole state; close it when it is no longer wanted. */
  openSnapshot(): SnapshotStream {
    const snapshot = new SnapshotStream(this.#tables.all);
    this.#snapshots.add(snapshot);
    return snapshot;
  }

  closeSnapshot(snapshot: SnapshotStream): void {
    this.#snapshots.delete(snapshot);
  }

  /** Forgets everything, before a state is installed. */
  clear(): void {
    this.#archives.abandon();
    for (const table of this.#tables.all) table.clear();
    this.reload();
  }

  /** Installs one chunk of a {@link SnapshotStream}. */
  installRows(chunk: Uint8Array): void {
    installChunk(this.#tables.all, chunk);
  }

  /** After the last chunk. `index` is what the sender had applied. */
  finishInstall(index: number): void {
    this.reload();
    assert(this.appliedIndex <= index, "an installed state is not ahead of its index");
    // Entries of Raft's own may have been applied without a batch of commands.
    if (this.appliedIndex < index) this.#state.meta.digest = 0;
    this.#state.meta.appliedIndex = index;
    this.#state.meta.store();
    this.#parkedAt = null;
  }

  #inOneTransaction(entries: readonly DecodedEntry[]): Applied[] {
    return this.#sql.transaction(() => {
      const applied = entries.map((entry) => this.#apply(entry));
      this.#state.meta.store();
      return applied;
    });
  }

  #alone(entry: DecodedEntry): Applied[] {
    try {
      return this.#inOneTransaction([entry]);
    } catch (failure) {
      if (isStorageFault(failure)) throw failure;
      this.reload();
      const { index, envelope } = entry;
      const command =
        envelope === "unreadable" ? null : ((envelope?.command ?? null) as Command | null);
      const origin = envelope === "unreadable" ? null : envelope?.origin;
      const failed = { index, command, outcome: internalError, touched: [] };
      const applied: Applied = origin ? { ...failed, origin } : failed;
      this.#advance(applied);
      this.#state.meta.store();
      return [applied];
    }
  }

  #apply({ index, envelope }: DecodedEntry): Applied {
    assert(index > this.appliedIndex, "entries are applied in order");
    assert(envelope !== "unreadable", "a log entry is a command");
    this.#digest.forgetRows();
    this.#archives.staging.takeSwapped();
    const touched: Topic[] = [];
    if (!envelope) {
      const applied: Applied = {
        index,
        command: null,
        outcome: { ok: true, value: true },
        touched,
      };
      this.#advance(applied);
      return applied;
    }
    const { stampMs, version } = envelope;
    const command = envelope.command as Command;
    const { meta } = this.#state;
    // A new leader's clock may be behind; time in the log never goes back.
    meta.clockMs = Math.max(meta.clockMs, stampMs);
    meta.noteVersion(command.type, version);
    const change: Change = {
      ...this.#state,
      index: index + meta.indexOffset,
      nowMs: meta.clockMs,
      touch: (...topics) => {
        touched.push(...topics);
      },
      emit: (event, detail) => {
        for (const { react } of this.#registry.reactionsTo(event)) react(change, detail);
      },
    };
    const outcome = this.#run(change, envelope, touched);
    const applied: Applied = {
      ...{ index, command, outcome, touched },
      ...(this.#archives.staging.takeSwapped() && { replaced: true as const }),
      ...(envelope.origin ? { origin: envelope.origin } : {}),
    };
    this.#advance(applied);
    return applied;
  }

  #run(change: Change, { command, version }: CommandEnvelope, touched: Topic[]): CommandOutcome {
    const definition = this.#registry.commands.get(command.type);
    assert(definition, `unknown command ${command.type}`);
    const apply: AnyCommand["apply"] = definition.apply.bind(definition);
    const { meta } = this.#state;
    try {
      if (!definition.guarded) return succeeded(apply(change, command as never, version));
      const indexes = meta.save();
      try {
        return succeeded(this.#sql.transaction(() => apply(change, command as never, version)));
      } catch (failure) {
        meta.restore(indexes);
        this.#forgetRows();
        this.#digest.forgetRows();
        touched.length = 0;
        if (failure instanceof UndoneResult) return succeeded(failure.value);
        throw failure;
      }
    } catch (failure) {
      if (!(failure instanceof ServiceError)) throw failure;
      assert(touched.length === 0, "a command refuses before it changes anything");
      return { ok: false, error: { code: failure.code, message: failure.message } };
    }
  }

  #forgetRows(): void {
    this.#tables.forgetRows();
  }

  /** The state is another one: nothing that was made of the one before holds. */
  #forgetState(): void {
    this.#cache.clear();
    this.gate.forget();
    this.#archives.abandon();
    for (const snapshot of this.#snapshots) snapshot.restart();
  }

  #advance({ index, outcome }: Applied): void {
    const { meta } = this.#state;
    const before = index === meta.appliedIndex + 1 ? meta.digest : 0;
    meta.digest = this.#digest.advance(before, index, outcome);
    meta.appliedIndex = index;
  }
}
