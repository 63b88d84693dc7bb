// What gzip holds, as a sequence of bytes to take from. Failures are Consul's words about the archive that breaks off
// or is damaged there; whoever reads adds what it was reading.

import { joinBytes } from "../core/lib/bytes.ts";
import { ServiceError } from "../core/model/errors.ts";

/** The header that every gzip stream has at least. */
const headerBytes = 10;
/** What ends it: a failure there must not come before what it is about has been read. */
const trailerBytes = 8;
/** A failure takes with it what a step gave before, so in small archives, which people look at, steps are small. */
const smallSteps = { bytes: 512, until: 65_536 };
const stepBytes = 262_144;

/** Throws ServiceError for what does not begin like gzip. */
export async function gunzip(
  source: ReadableStream<Uint8Array> | null,
  bytesMax: number,
  tooLarge: (bytes: number) => ServiceError,
): Promise<Inflated> {
  const input = new Input(source, bytesMax, tooLarge);
  const header = await input.take(headerBytes);
  if (header.length < headerBytes) {
    throw refused(header.length === 0 ? "EOF" : "unexpected EOF");
  }
  if (header[0] !== 0x1f || header[1] !== 0x8b || header[2] !== 8) {
    throw refused("gzip: invalid header");
  }
  return new Inflated(header, input);
}

function refused(reason: string): ServiceError {
  return new ServiceError("invalid", `failed to decompress snapshot: ${reason}`);
}

/** The archive breaks off, or is damaged. */
export class BrokenArchive extends Error {}

class Input {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array> | null;
  readonly #bytesMax: number;
  readonly #tooLarge: (bytes: number) => ServiceError;
  #held = new Uint8Array(0);
  #ended = false;
  #bytes = 0;
  #taken = 0;

  constructor(
    source: ReadableStream<Uint8Array> | null,
    bytesMax: number,
    tooLarge: (bytes: number) => ServiceError,
  ) {
    this.#reader = source?.getReader() ?? null;
    this.#bytesMax = bytesMax;
    this.#tooLarge = tooLarge;
  }

  /** At most so many bytes, fewer only at the end. */
  async take(length: number): Promise<Uint8Array<ArrayBuffer>> {
    while (this.#held.length < length && !this.#ended) await this.#more();
    const taken = this.#held.slice(0, length);
    this.#held = this.#held.subarray(length);
    this.#taken += taken.length;
    return taken;
  }

  /** The next part for the decompressor, the trailer by itself; none at the end. */
  async step(): Promise<Uint8Array<ArrayBuffer>> {
    const most = this.#taken < smallSteps.until ? smallSteps.bytes : stepBytes;
    while (this.#held.length <= most + trailerBytes && !this.#ended) await this.#more();
    const body = this.#ended ? this.#held.length - trailerBytes : most;
    return await this.take(body > 0 ? Math.min(body, most) : this.#held.length);
  }

  async cancel(): Promise<void> {
    await this.#reader?.cancel();
  }

  async #more(): Promise<void> {
    const next = await this.#reader?.read();
    if (!next || next.done) {
      this.#ended = true;
      return;
    }
    this.#bytes += next.value.length;
    if (this.#bytes > this.#bytesMax) {
      await this.cancel();
      throw this.#tooLarge(this.#bytes);
    }
    this.#held = joinBytes([this.#held, next.value]);
  }
}

type Piece = Awaited<ReturnType<ReadableStreamDefaultReader<Uint8Array>["read"]>>;

/** It is fed when everything that came of the step before has been read. */
export class Inflated {
  readonly #output: ReadableStreamDefaultReader<Uint8Array>;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>;
  readonly #input: Input;
  #held: Uint8Array = new Uint8Array(0);
  /** What comes next, once asked for. */
  #coming: Promise<Piece> | null = null;
  /** Settles when the last step has been taken in; null once there are no more. */
  #written: Promise<unknown> | null;
  #fed = 0;

  constructor(header: Uint8Array<ArrayBuffer>, input: Input) {
    const inflate = new DecompressionStream("gzip");
    this.#output = inflate.readable.getReader();
    this.#writer = inflate.writable.getWriter();
    this.#input = input;
    this.#written = quiet(this.#writer.write(header));
  }

  /** Exactly so many bytes, or none at the end. Throws BrokenArchive. */
  async exactly(length: number): Promise<Uint8Array> {
    const parts: Uint8Array[] = [];
    let left = length;
    while (left > 0) {
      const part = await this.some(left);
      if (part.length === 0 && left === length) return part;
      if (part.length === 0) throw new BrokenArchive("unexpected EOF");
      parts.push(part);
      left -= part.length;
    }
    const [first = new Uint8Array(0)] = parts;
    return parts.length <= 1 ? first : joinBytes(parts);
  }

  /** What there is, at most so many bytes; none at the end. Throws BrokenArchive. */
  async some(most: number): Promise<Uint8Array> {
    if (this.#held.length === 0) this.#held = await this.#next();
    const taken = this.#held.subarray(0, most);
    this.#held = this.#held.subarray(taken.length);
    return taken;
  }

  /** Whoever does not read it to its end. */
  async cancel(): Promise<void> {
    await this.#input.cancel().catch(() => undefined);
    await this.#output.cancel().catch(() => undefined);
  }

  async #next(): Promise<Uint8Array> {
    for (;;) {
      this.#coming ??= this.#output.read();
      let come: Piece | null;
      try {
        come = await (this.#written ? this.#unless(this.#coming, this.#written) : this.#coming);
      } catch (failure) {
        throw new BrokenArchive(damage(failure, this.#fed));
      }
      if (come === null) {
        await this.#feed();
        continue;
      }
      this.#coming = null;
      if (come.done) return new Uint8Array(0);
      if (come.value.length > 0) return come.value;
    }
  }

  /** What comes; null when nothing more comes of what was written. */
  async #unless<Value>(coming: Promise<Value>, written: Promise<unknown>): Promise<Value | null> {
    const none = written.then(() => new Promise((resolve) => setTimeout(resolve)));
    return await Promise.race([coming, none.then(() => null)]);
  }

  /** Rejects with ServiceError when the input is refused. */
  async #feed(): Promise<void> {
    const step = await this.#input.step();
    this.#fed += step.length;
    if (step.length > 0) {
      this.#written = quiet(this.#writer.write(step));
      return;
    }
    this.#written = null;
    void quiet(this.#writer.close());
  }
}

/** Whoever reads hears of the failure. */
function quiet(work: Promise<unknown>): Promise<unknown> {
  return work.catch(() => undefined);
}

/** What the runtimes say about it, in Go's words. */
function damage(failure: unknown, fed: number): string {
  const told = failure instanceof Error ? failure.message + String(failure.cause) : "";
  if (/incorrect (data|length) check/.test(told)) return "gzip: invalid checksum";
  if (/incorrect header/.test(told)) return "gzip: invalid header";
  if (/unexpected end|incomplete data/.test(told)) return "unexpected EOF";
  return `flate: corrupt input before offset ${fed}`;
}
