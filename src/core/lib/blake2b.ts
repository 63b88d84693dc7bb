// BLAKE2b (RFC 7693) without a key: the hash that Consul shows of intentions. Synchronous and portable, which
// WebCrypto is not (it has no BLAKE2 at all). For short texts; 64-bit words are bigints.

const initial = [
  0x6a09e667f3bcc908n,
  0xbb67ae8584caa73bn,
  0x3c6ef372fe94f82bn,
  0xa54ff53a5f1d36f1n,
  0x510e527fade682d1n,
  0x9b05688c2b3e6c1fn,
  0x1f83d9abfb41bd6bn,
  0x5be0cd19137e2179n,
] as const;

/** Order of the message words in each round; the last two rounds repeat the first two. */
const schedule = [
  [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
  [14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3],
  [11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4],
  [7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8],
  [9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13],
  [2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9],
  [12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11],
  [13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10],
  [6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5],
  [10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0],
] as const;
const rounds = 12;

/** Columns, then diagonals, of the working vector seen as a square of four by four. */
const lanes = [
  [0, 4, 8, 12],
  [1, 5, 9, 13],
  [2, 6, 10, 14],
  [3, 7, 11, 15],
  [0, 5, 10, 15],
  [1, 6, 11, 12],
  [2, 7, 8, 13],
  [3, 4, 9, 14],
] as const;

const blockBytes = 128;
const wordMask = (1n << 64n) - 1n;

/** The hash of `input`, `bytes` long (1 to 64). */
export function blake2b(input: Uint8Array, bytes: number): Uint8Array {
  const state: bigint[] = [...initial];
  state[0] = (state[0] ?? 0n) ^ BigInt(0x01010000 ^ bytes);
  const blocks = Math.max(1, Math.ceil(input.length / blockBytes));
  for (let block = 0; block < blocks; block++) {
    const end = Math.min(input.length, (block + 1) * blockBytes);
    const padded = new Uint8Array(blockBytes);
    padded.set(input.subarray(block * blockBytes, end));
    compress(state, padded, end, block === blocks - 1);
  }
  const hash = new DataView(new ArrayBuffer(64));
  state.forEach((word, at) => hash.setBigUint64(at * 8, word, true));
  return new Uint8Array(hash.buffer, 0, bytes);
}

/** `total`: bytes of input up to and with this block. */
function compress(state: bigint[], block: Uint8Array, total: number, isLast: boolean): void {
  const view = new DataView(block.buffer);
  const message = Array.from({ length: 16 }, (_, at) => view.getBigUint64(at * 8, true));
  const v = [...state, ...initial];
  const at = (index: number): bigint => v[index] ?? 0n;
  const word = (round: number, index: number): bigint =>
    message[schedule[round % schedule.length]?.[index] ?? 0] ?? 0n;
  v[12] = at(12) ^ BigInt(total);
  if (isLast) v[14] = at(14) ^ wordMask;
  for (let round = 0; round < rounds; round++) {
    lanes.forEach(([a, b, c, d], lane) => {
      v[a] = (at(a) + at(b) + word(round, 2 * lane)) & wordMask;
      v[d] = rotateRight(at(d) ^ at(a), 32n);
      v[c] = (at(c) + at(d)) & wordMask;
      v[b] = rotateRight(at(b) ^ at(c), 24n);
      v[a] = (at(a) + at(b) + word(round, 2 * lane + 1)) & wordMask;
      v[d] = rotateRight(at(d) ^ at(a), 16n);
      v[c] = (at(c) + at(d)) & wordMask;
      v[b] = rotateRight(at(b) ^ at(c), 63n);
    });
  }
  for (let index = 0; index < 8; index++) {
    state[index] = (state[index] ?? 0n) ^ at(index) ^ at(index + 8);
  }
}

function rotateRight(word: bigint, by: bigint): bigint {
  return (word >> by) | ((word << (64n - by)) & wordMask);
}
