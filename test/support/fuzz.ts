// What all fuzz tests share: for how long (`PROCONSUL_FUZZ_MS`) and with what (`PROCONSUL_FUZZ_SEED`) they ask, and the
// line that each prints at its end.

import * as fc from "fast-check";

export const forMs = Number(process.env["PROCONSUL_FUZZ_MS"] ?? 10_000);
export const seed = Number(process.env["PROCONSUL_FUZZ_SEED"] ?? 1);
/** For the test's own limit: what begins in time may end later. */
export const limitMs = forMs + 60_000;

const bytesPerMegabyte = 1_048_576;
const roundInputs = 200;

function residentMegabytes(): number {
  return Math.round(process.memoryUsage.rss() / bytesPerMegabyte);
}

/** Tries what `inputs` makes until the time is over or `holds` throws; says how many there were, and what they cost. */
export async function fuzz<Input>(
  name: string,
  inputs: fc.Arbitrary<Input>,
  holds: (input: Input) => Promise<void>,
): Promise<void> {
  let tried = 0;
  const before = residentMegabytes();
  const property = fc.asyncProperty(inputs, async (input) => {
    tried += 1;
    await holds(input);
  });
  const untilMs = Date.now() + forMs;
  try {
    // In rounds: the library's own limit of time holds on to something for each input.
    for (let round = 0; Date.now() < untilMs; round++) {
      await fc.assert(property, { seed: seed + round, numRuns: roundInputs, endOnFailure: true });
    }
  } finally {
    const memory = `RSS ${before} MB at the start, ${residentMegabytes()} MB at the end`;
    console.log(`fuzz ${name}: ${tried} inputs, seed ${seed}, ${memory}`);
  }
}

/** Bytes with a few of them changed, cut off, doubled or added. */
export function damaged(bytes: fc.Arbitrary<Uint8Array>): fc.Arbitrary<Uint8Array> {
  const edit = fc.record({
    how: fc.constantFrom("set", "cut", "insert", "remove", "double"),
    at: fc.nat({ max: 65_535 }),
    byte: fc.oneof(fc.constantFrom(0, 1, 12, 63, 64, 127, 128, 192, 255), fc.nat({ max: 255 })),
  });
  return fc.tuple(bytes, fc.array(edit, { maxLength: 4 })).map(([given, edits]) => {
    let list = [...given];
    for (const { how, at: anywhere, byte } of edits) {
      const at = list.length === 0 ? 0 : anywhere % list.length;
      if (how === "set") list[at] = byte;
      if (how === "cut") list = list.slice(0, at);
      if (how === "insert") list.splice(at, 0, byte);
      if (how === "remove") list.splice(at, 1);
      if (how === "double") list = [...list, ...list.slice(at)];
    }
    return Uint8Array.from(list);
  });
}
