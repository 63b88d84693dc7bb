// MessagePack as Go's codec writes it under the old specification: texts and bytes are both "raw", there is no bin
// type, integers take the fewest bytes and positive ones are unsigned, floats have 64 bits. Reading takes what the new
// specification adds as well, and nothing but whole values of a bounded depth.

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const depthMax = 200;

/** A value as it stands in the bytes: raw is not told apart, integers beyond 2^53 are bigint. */
export type Packed = null | boolean | number | bigint | Uint8Array | Packed[] | Map<string, Packed>;

/** Bytes that are no MessagePack. */
export class PackError extends Error {}
/** The value goes on beyond the bytes that are there. */
export class PackEnd extends PackError {}

export class Packer {
  #bytes = new Uint8Array(1_024);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** What was written since the last take. */
  take(): Uint8Array {
    const taken = this.#bytes.slice(0, this.#length);
    this.#length = 0;
    return taken;
  }

  /** Forgets what was written since the last take. */
  clear(): void {
    this.#length = 0;
  }

  nil(): void {
    this.byte(0xc0);
  }

  boolean(value: boolean): void {
    this.byte(value ? 0xc3 : 0xc2);
  }

  /** Any integer in [-2^63, 2^64). */
  integer(value: number | bigint): void {
    if (value >= 0) this.#unsigned(value);
    else if (value >= -32) this.byte(0x100 + Number(value));
    else if (value >= -0x80) this.#number(0xd0, 1, (view, at) => view.setInt8(at, Number(value)));
    else if (value >= -0x8000)
      this.#number(0xd1, 2, (view, at) => view.setInt16(at, Number(value)));
    else if (value >= -0x80000000)
      this.#number(0xd2, 4, (view, at) => view.setInt32(at, Number(value)));
    else this.#number(0xd3, 8, (view, at) => view.setBigInt64(at, BigInt(value)));
  }

  float(value: number): void {
    this.#number(0xcb, 8, (view, at) => view.setFloat64(at, value));
  }

  text(value: string): void {
    this.raw(encoder.encode(value));
  }

  raw(value: Uint8Array): void {
    this.#head(value.length, { small: 0xa0, smallMax: 31, two: 0xda, four: 0xdb });
    this.packed(value);
  }

  /** What is packed already. */
  packed(value: Uint8Array): void {
    this.#reserve(value.length);
    this.#bytes.set(value, this.#length);
    this.#length += value.length;
  }

  list(length: number): void {
    this.#head(length, { small: 0x90, smallMax: 15, two: 0xdc, four: 0xdd });
  }

  map(size: number): void {
    this.#head(size, { small: 0x80, smallMax: 15, two: 0xde, four: 0xdf });
  }

  byte(value: number): void {
    this.#reserve(1);
    this.#bytes[this.#length++] = value;
  }

  #unsigned(value: number | bigint): void {
    if (value < 0x80) this.byte(Number(value));
    else if (value <= 0xff) this.#number(0xcc, 1, (view, at) => view.setUint8(at, Number(value)));
    else if (value <= 0xffff)
      this.#number(0xcd, 2, (view, at) => view.setUint16(at, Number(value)));
    else if (value <= 0xffffffff)
      this.#number(0xce, 4, (view, at) => view.setUint32(at, Number(value)));
    else this.#number(0xcf, 8, (view, at) => view.setBigUint64(at, BigInt(value)));
  }

  #head(
    count: number,
    { small, smallMax, two, four }: { small: number; smallMax: number; two: number; four: number },
  ): void {
    if (count <= smallMax) this.byte(small + count);
    else if (count <= 0xffff) this.#number(two, 2, (view, at) => view.setUint16(at, count));
    else this.#number(four, 4, (view, at) => view.setUint32(at, count));
  }

  #number(code: number, size: number, set: (view: DataView, at: number) => void): void {
    this.byte(code);
    this.#reserve(size);
    set(this.#view, this.#length);
    this.#length += size;
  }

  #reserve(size: number): void {
    if (this.#length + size <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + size));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
    this.#view = new DataView(grown.buffer);
  }
}

/** Lengths and numbers by their first byte: how many bytes the count or the number takes. */
const rawSizes: Record<number, number> = { 0xc4: 1, 0xc5: 2, 0xc6: 4, 0xd9: 1, 0xda: 2, 0xdb: 4 };
const listSizes: Record<number, number> = { 0xdc: 2, 0xdd: 4 };
const mapSizes: Record<number, number> = { 0xde: 2, 0xdf: 4 };

export class Unpacker {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  at: number;

  constructor(bytes: Uint8Array, at = 0) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.at = at;
  }

  get isAtEnd(): boolean {
    return this.at >= this.#bytes.length;
  }

  byte(): number {
    return this.#bytes[this.#advance(1)] as number;
  }

  /** The next value. Throws PackError. */
  value(depth = 0): Packed {
    if (depth > depthMax) throw new PackError("it is nested too deeply");
    const code = this.byte();
    if (code < 0x80) return code;
    if (code >= 0xe0) return code - 0x100;
    if (code < 0x90) return this.#map(code & 15, depth);
    if (code < 0xa0) return this.#list(code & 15, depth);
    if (code < 0xc0) return this.#raw(code & 31);
    if (code === 0xc0) return null;
    if (code === 0xc2 || code === 0xc3) return code === 0xc3;
    const [raw, list, map] = [rawSizes[code], listSizes[code], mapSizes[code]];
    if (raw !== undefined) return this.#raw(this.#count(raw));
    if (list !== undefined) return this.#list(this.#count(list), depth);
    if (map !== undefined) return this.#map(this.#count(map), depth);
    return this.#number(code);
  }

  /** Steps over the next value, without memory for it. Throws PackError. */
  skip(): void {
    for (let left = 1; left > 0; left--) {
      const code = this.byte();
      const [raw, list, map] = [rawSizes[code], listSizes[code], mapSizes[code]];
      if (code < 0x80 || code >= 0xe0 || code === 0xc0 || code === 0xc2 || code === 0xc3) continue;
      if (code < 0x90) left += 2 * (code & 15);
      else if (code < 0xa0) left += code & 15;
      else if (code < 0xc0) this.#advance(code & 31);
      else if (raw !== undefined) this.#advance(this.#count(raw));
      else if (list !== undefined) left += this.#count(list);
      else if (map !== undefined) left += 2 * this.#count(map);
      else this.#number(code);
    }
  }

  #raw(length: number): Uint8Array {
    const at = this.#advance(length);
    return this.#bytes.subarray(at, at + length);
  }

  #list(length: number, depth: number): Packed[] {
    const items: Packed[] = [];
    for (let each = 0; each < length; each++) items.push(this.value(depth + 1));
    return items;
  }

  #map(size: number, depth: number): Map<string, Packed> {
    const members = new Map<string, Packed>();
    for (let each = 0; each < size; each++) {
      const key = this.value(depth + 1);
      if (!(key instanceof Uint8Array)) throw new PackError("a key is no text");
      members.set(decoder.decode(key), this.value(depth + 1));
    }
    return members;
  }

  #count(size: number): number {
    const at = this.#advance(size);
    if (size === 1) return this.#view.getUint8(at);
    return size === 2 ? this.#view.getUint16(at) : this.#view.getUint32(at);
  }

  #number(code: number): number | bigint {
    const view = this.#view;
    switch (code) {
      case 0xca:
        return shortest(view.getFloat32(this.#advance(4)));
      case 0xcb:
        return view.getFloat64(this.#advance(8));
      case 0xcc:
      case 0xcd:
      case 0xce:
        return this.#count(1 << (code - 0xcc));
      case 0xcf:
        return narrow(view.getBigUint64(this.#advance(8)));
      case 0xd0:
        return view.getInt8(this.#advance(1));
      case 0xd1:
        return view.getInt16(this.#advance(2));
      case 0xd2:
        return view.getInt32(this.#advance(4));
      case 0xd3:
        return narrow(view.getBigInt64(this.#advance(8)));
      default:
        throw new PackError(`no value begins with byte ${code}`);
    }
  }

  #advance(size: number): number {
    const { at } = this;
    if (at + size > this.#bytes.length) throw new PackEnd("unexpected EOF");
    this.at += size;
    return at;
  }
}

function narrow(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

/** The decimal number with the fewest digits that is this 32-bit float. */
function shortest(value: number): number {
  for (let digits = 1; digits < 9; digits++) {
    const rounded = Number(value.toPrecision(digits));
    if (Math.fround(rounded) === value) return rounded;
  }
  return value;
}
