// A map that holds at most so many bytes: what was put in first goes first. For caches, whose entries can always
// be made again.

/** About the memory that a text takes: engines keep one byte a character while all of them are Latin-1. */
export function memoryOf(text: string): number {
  // oxlint-disable-next-line no-control-regex -- the range begins with the first character there is
  return /^[\u0000-\u00ff]*$/.test(text) ? text.length : 2 * text.length;
}

/** What an entry takes beside its key and value: slots of maps, headers of objects. */
const entryBytes = 128;

export class BoundedMap<Value> {
  readonly #bytesMax: number;
  readonly #dropped: (key: string, value: Value) => void;
  readonly #entries = new Map<string, { value: Value; bytes: number }>();
  #bytes = 0;

  /** `dropped` hears of every entry that leaves, whatever the reason. */
  constructor(bytesMax: number, dropped: (key: string, value: Value) => void = () => undefined) {
    this.#bytesMax = bytesMax;
    this.#dropped = dropped;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: string): Value | undefined {
    return this.#entries.get(key)?.value;
  }

  /** Keeps a value of `bytes` bytes, unless it alone is too large; replaces the one with its key. */
  set(key: string, value: Value, bytes: number): void {
    this.delete(key);
    const total = bytes + memoryOf(key) + entryBytes;
    if (total > this.#bytesMax) return;
    for (const oldest of this.#entries.keys()) {
      if (this.#bytes + total <= this.#bytesMax) break;
      this.delete(oldest);
    }
    this.#entries.set(key, { value, bytes: total });
    this.#bytes += total;
  }

  delete(key: string): void {
    const entry = this.#entries.get(key);
    if (!entry) return;
    this.#entries.delete(key);
    this.#bytes -= entry.bytes;
    this.#dropped(key, entry.value);
  }

  clear(): void {
    for (const key of this.#entries.keys()) this.delete(key);
  }
}
