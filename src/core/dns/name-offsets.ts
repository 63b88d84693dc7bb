// Where names of a message, and their endings, stand in it, for others to point at (RFC 1035 §4.1.4).

/** A pointer has 14 bits. */
const offsetsEnd = 1 << 14;

export class NameOffsets {
  /** Made with the second name: most replies have only that of their question. */
  #offsets: Map<string, number> | null = null;
  #first: { name: string; at: number } | null = null;

  /** The name that the message begins with. */
  begin(name: string, at: number): void {
    this.#first = { name, at };
  }

  /**
   * Takes note of a name that is written at `at`. Returns where its longest known ending stands and where in the text
   * that begins, or null when nothing of it is known or `point` is false: then it is to be written out.
   */
  place(name: string, at: number, point: boolean): { start: number; offset: number } | null {
    const offsets = this.#known();
    for (let start = 0; start < name.length;) {
      const ending = start === 0 ? name : name.slice(start);
      const offset = offsets.get(ending);
      if (offset === undefined) {
        const place = at + byteLength(name, start);
        if (place < offsetsEnd) offsets.set(ending, place);
      } else if (point) {
        return { start, offset };
      }
      const dot = name.indexOf(".", start);
      if (dot < 0) return null;
      start = dot + 1;
    }
    return null;
  }

  #known(): Map<string, number> {
    if (this.#offsets === null) {
      this.#offsets = new Map();
      if (this.#first) this.place(this.#first.name, this.#first.at, false);
    }
    return this.#offsets;
  }
}

/** Of the first `end` characters as labels, which take as many bytes as their text with its dots. */
function byteLength(name: string, end: number): number {
  let bytes = 0;
  for (let at = 0; at < end; at++) {
    const code = name.charCodeAt(at);
    // Half of a surrogate pair is two of its four bytes.
    bytes += code < 0x80 ? 1 : code < 0x800 || (code >= 0xd800 && code < 0xe000) ? 2 : 3;
  }
  return bytes;
}
