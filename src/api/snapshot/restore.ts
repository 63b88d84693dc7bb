// A restore as commands: whole records in chunks that fit the log. Loading may fail long before an archive is found to
// be damaged, which then is the better reason; so it is read to its end whatever comes.

import { encodeBase64 } from "../../core/lib/base64.ts";
import { joinBytes } from "../../core/lib/bytes.ts";
import { PackEnd, PackError } from "../../core/lib/msgpack.ts";
import { ServiceError } from "../../core/model/errors.ts";
import { recordEnd } from "../../core/state/archive/format.ts";
import type { Command, CommandResult } from "../../core/state/commands.ts";
import type { Cluster, WriteOptions } from "../../ports/cluster.ts";

const chunkBytes = 262_144;
/** One record, base64, must fit an entry of the log. */
const recordBytesMax = 720_000;
/** A write whose answer was lost is sent again: chunks are numbered, and the rest may happen twice. */
const attempts = 5;

type CommandType = Command["type"] & `snapshot.${string}`;

export class Restore {
  readonly #cluster: Cluster;
  readonly #options: WriteOptions;
  readonly #name: string;
  #held: Uint8Array[] = [];
  #heldBytes = 0;
  #chunk = 0;
  #isHeader = true;
  #begun = false;
  #failure: ServiceError | null = null;
  /** Of everything that was taken. */
  bytes = 0;

  /** `name` is a random id. */
  constructor(cluster: Cluster, name: string, options: WriteOptions) {
    this.#cluster = cluster;
    this.#name = name;
    this.#options = options;
  }

  /** Takes more of `state.bin`. A refusal is kept until {@link finish}. */
  async take(piece: Uint8Array): Promise<void> {
    this.bytes += piece.length;
    if (this.#failure) return;
    this.#held.push(piece);
    this.#heldBytes += piece.length;
    if (this.#heldBytes >= chunkBytes) await this.#attempt(() => this.#load());
  }

  /** Loads what is left, and switches to it. Rejects with ServiceError when the state stays what it was. */
  async finish(): Promise<void> {
    if (!this.#failure) await this.#attempt(() => this.#load());
    if (this.#heldBytes > 0) this.#failure ??= refused("unexpected EOF");
    if (this.#isHeader) this.#failure ??= refused("EOF");
    if (this.#failure) throw this.#failure;
    await this.#write({ type: "snapshot.switch", restore: this.#name });
  }

  /** Nobody goes on with it: what was loaded may be removed at once. */
  async abandon(): Promise<void> {
    if (!this.#begun) return;
    const nobody = { type: "snapshot.begin", restore: "" } as const;
    // Otherwise it is removed when it has been left alone for a while.
    await this.#cluster.write(nobody, this.#options).catch(() => undefined);
  }

  async #attempt(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (failure) {
      if (failure instanceof ServiceError) this.#failure = failure;
      else if (failure instanceof PackError) this.#failure = refused(failure.message);
      else throw failure;
      this.#held = [];
      this.#heldBytes = 0;
    }
  }

  async #load(): Promise<void> {
    await this.#begin();
    const [first = new Uint8Array(0)] = this.#held;
    const bytes = this.#held.length <= 1 ? first : joinBytes(this.#held);
    let from = 0;
    for (;;) {
      const end = this.#wholeUntil(bytes, from);
      if (end === from) break;
      const data = encodeBase64(bytes.subarray(from, end));
      const chunk = this.#chunk++;
      await this.#write({ type: "snapshot.load", restore: this.#name, chunk, data });
      from = end;
    }
    const rest = bytes.slice(from);
    if (rest.length > recordBytesMax) {
      throw refused(`a record is larger than ${recordBytesMax} bytes`);
    }
    this.#held = rest.length > 0 ? [rest] : [];
    this.#heldBytes = rest.length;
  }

  /** Where whole records end, of at most as many bytes as one chunk may have. */
  #wholeUntil(bytes: Uint8Array, from: number): number {
    let end = from;
    try {
      while (end < bytes.length) {
        const next = recordEnd(bytes, end, this.#isHeader);
        if (end > from && next - from > recordBytesMax) return end;
        if (next - from > recordBytesMax) {
          throw refused(`a record is larger than ${recordBytesMax} bytes`);
        }
        this.#isHeader = false;
        end = next;
      }
    } catch (failure) {
      if (!(failure instanceof PackEnd)) throw failure;
    }
    return end;
  }

  async #begin(): Promise<void> {
    if (this.#begun) return;
    this.#begun = true;
    for (;;) {
      if (await this.#write({ type: "snapshot.begin", restore: this.#name })) return;
    }
  }

  async #write<Type extends CommandType>(
    command: Extract<Command, { type: Type }>,
  ): Promise<CommandResult<Type>> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#cluster.write(command, this.#options);
      } catch (failure) {
        const isLost = failure instanceof ServiceError && failure.code === "unknown-outcome";
        if (!isLost || attempt === attempts) throw failure;
      }
    }
  }
}

function refused(reason: string): ServiceError {
  return new ServiceError("invalid", `Raft error when restoring snapshot: ${reason}`);
}
