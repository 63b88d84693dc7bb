// A seeded source of randomness (mulberry32 by name in the literature): the same seed gives the same
// sequence everywhere, so a simulated cluster can be replayed. Not for secrets.

export interface Random {
  /** A number in [0, 1). */
  next(): number;
  /** An integer in [minInclusive, maxExclusive). */
  integer(minInclusive: number, maxExclusive: number): number;
}

export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
  return {
    next,
    integer: (minInclusive, maxExclusive) =>
      minInclusive + Math.floor(next() * (maxExclusive - minInclusive)),
  };
}
