// Tar archives of plain files, as Go writes and reads them.

export const blockBytes = 512;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** The header of a file; without `mode`, of one that only its owner may read. */
export function tarHeader(
  name: string,
  size: number,
  modifiedMs: number,
  mode = 0o600,
): Uint8Array {
  const header = new Uint8Array(blockBytes);
  const put = (at: number, text: string): void => header.set(encoder.encode(text), at);
  const octal = (value: number, digits: number): string => value.toString(8).padStart(digits, "0");
  put(0, name);
  put(100, `${octal(mode, 7)}\0`);
  put(108, "0000000\0");
  put(116, "0000000\0");
  // Beyond 11 octal digits the size is binary, with the first bit set.
  if (size < 8 ** 11) put(124, `${octal(size, 11)}\0`);
  else {
    header[124] = 0x80;
    new DataView(header.buffer).setBigUint64(128, BigInt(size));
  }
  put(136, `${octal(Math.floor(modifiedMs / 1_000), 11)}\0`);
  put(148, "        ");
  put(156, "0");
  put(257, "ustar\x0000");
  put(148, `${octal(checksum(header), 6)}\0 `);
  return header;
}

/** What fills the last block of a file up. */
export function tarPadding(size: number): Uint8Array {
  return new Uint8Array((blockBytes - (size % blockBytes)) % blockBytes);
}

export const tarEnd = new Uint8Array(2 * blockBytes);

/** Null for a header whose checksum is wrong. */
export function parseTarHeader(block: Uint8Array): { name: string; size: number } | null {
  const blank = block.slice();
  blank.fill(0x20, 148, 156);
  const told = octalAt(block, 148, 8);
  const size = (block[124] ?? 0) & 0x80 ? binarySize(block) : octalAt(block, 124, 12);
  if (told !== checksum(blank) || size === null || !Number.isSafeInteger(size)) return null;
  return { name: textAt(block, 0, 100), size };
}

export function isZero(block: Uint8Array): boolean {
  return block.every((byte) => byte === 0);
}

function checksum(header: Uint8Array): number {
  let sum = 0;
  for (const byte of header) sum += byte;
  return sum;
}

function binarySize(block: Uint8Array): number {
  return Number(new DataView(block.buffer, block.byteOffset).getBigUint64(128));
}

function textAt(block: Uint8Array, at: number, length: number): string {
  const field = block.subarray(at, at + length);
  const end = field.indexOf(0);
  return decoder.decode(end < 0 ? field : field.subarray(0, end));
}

function octalAt(block: Uint8Array, at: number, length: number): number | null {
  const text = textAt(block, at, length).trim();
  return /^[0-7]*$/.test(text) ? Number.parseInt(text || "0", 8) : null;
}
