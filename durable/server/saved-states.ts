// States that are being saved. Each is kept as it was when it was asked for (core/state/archive/copies.ts), until it
// has been read, or nobody has asked for more of it for a while.

import { assertNever } from "../../src/core/lib/assert.ts";
import { encodeBase64 } from "../../src/core/lib/base64.ts";
import { Packer } from "../../src/core/lib/msgpack.ts";
import { ServiceError } from "../../src/core/model/errors.ts";
import type { JsonValue } from "../../src/core/model/json.ts";
import type { OpenArchive } from "../../src/core/state/archive/archives.ts";
import type { WriteRecord } from "../../src/core/state/archive/kinds.ts";
import type { StateMachine } from "../../src/core/state/machine.ts";
import type { ArchiveRequest } from "../../src/link/protocol.ts";
import type { RaftStatus } from "../../src/ports/cluster.ts";
import type { TimerHandle, Timers } from "../../src/ports/timers.ts";
import type { ServerRequests } from "./requests.ts";

const idleMs = 60_000;
/** Saved at a time. */
const openMax = 4;
const chunkBytes = 262_144;
/** One step of measuring. */
const measuredBytes = 4_194_304;

/** A state that is being saved, for one who asks. */
interface Saved {
  archive: OpenArchive;
  records: Iterator<WriteRecord>;
  /** How many bytes were measured. */
  bytes: number;
  /** How many pieces were read. */
  pieces: number;
  isMeasured: boolean;
  timer: TimerHandle;
}

export interface SavedStateParts {
  machine: Pick<StateMachine, "openArchive" | "closeArchive">;
  requests: Pick<ServerRequests, "readable" | "permit" | "lastContactMs">;
  timers: Timers;
  knownLeader(): boolean;
  /** Where this server stands in the log; absent before it has one. */
  raft(): RaftStatus | undefined;
}

export class SavedStates {
  readonly #parts: SavedStateParts;
  readonly #saved = new Map<number, Saved>();
  #nextId = 1;

  constructor(parts: SavedStateParts) {
    this.#parts = parts;
  }

  /** Rejects with ServiceError. */
  async answer(request: ArchiveRequest): Promise<JsonValue> {
    const { archive: step, id, dc, consistency, token } = request;
    const shown = { ...(token !== undefined && { token }) };
    if (step.do === "open" || step.do === "permit") {
      // It must be as fresh as other reads are.
      const options = { ...(dc !== undefined && { dc }), ...(consistency && { consistency }) };
      await this.#parts.requests.readable({ id, read: "", args: {}, ...options });
    }
    this.#parts.requests.permit(["acl", "", "write"], shown);
    switch (step.do) {
      case "permit":
        return true;
      case "open":
        return this.#open(consistency === "stale");
      case "measure":
        return this.#measure(this.#find(step.of));
      case "read":
        return this.#read(step.of, step.piece);
      case "close":
        this.#close(step.of);
        return true;
    }
    return assertNever(step);
  }

  #open(isStale: boolean): JsonValue {
    const { machine, requests, knownLeader, raft } = this.#parts;
    if (this.#saved.size >= openMax) {
      throw new ServiceError("too-many-requests", "too many snapshots are being saved");
    }
    const archive = machine.openArchive();
    const id = this.#nextId++;
    const records = archive.records()[Symbol.iterator]();
    this.#saved.set(id, { archive, records, bytes: 0, pieces: 0, isMeasured: false, timer: null });
    this.#find(id);
    const { term = 0, configuration = [] } = raft() ?? {};
    return {
      of: id,
      index: archive.copy.index,
      knownLeader: knownLeader(),
      lastContactMs: isStale ? requests.lastContactMs() : 0,
      term,
      servers: configuration.map(({ id: server, address, voter }) => ({
        id: server,
        address,
        voter,
      })),
    };
  }

  /** How many bytes it has: an archive says so before they come. */
  #measure(saved: Saved): JsonValue {
    const packer = new Packer();
    const until = saved.bytes + measuredBytes;
    while (saved.bytes < until) {
      const { value: write, done = false } = saved.records.next();
      if (done) {
        saved.records = saved.archive.records()[Symbol.iterator]();
        saved.isMeasured = true;
        return { bytes: saved.bytes, done: true };
      }
      write(packer);
      saved.bytes += packer.length;
      packer.clear();
    }
    return { bytes: saved.bytes, done: false };
  }

  #read(id: number, piece: number): JsonValue {
    const saved = this.#find(id);
    if (!saved.isMeasured || saved.pieces !== piece) throw gone();
    const packer = new Packer();
    let done = false;
    while (!done && packer.length < chunkBytes) {
      const next = saved.records.next();
      done = next.done === true;
      if (!next.done) next.value(packer);
    }
    saved.pieces++;
    return { data: encodeBase64(packer.take()), done };
  }

  /** Begins to wait for the next question anew. */
  #find(id: number): Saved {
    const saved = this.#saved.get(id);
    if (!saved) throw gone();
    const { timers } = this.#parts;
    timers.clear(saved.timer);
    saved.timer = timers.set(() => this.#close(id), idleMs);
    return saved;
  }

  #close(id: number): void {
    const saved = this.#saved.get(id);
    if (!saved) return;
    this.#parts.timers.clear(saved.timer);
    this.#saved.delete(id);
    this.#parts.machine.closeArchive(saved.archive);
  }
}

function gone(): ServiceError {
  return new ServiceError("invalid", "the snapshot is no longer being saved by this server");
}
