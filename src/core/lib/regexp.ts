// Go's regular expressions, for matching only: does any part of a text match? Patterns come from clients, so
// the work must be bounded by pattern × text, which the platform's own engine does not promise. A pattern is
// parsed to a small program and all its threads run side by side (Thompson's construction).
//
// Left out, since only the answer counts: submatches, and the difference between greedy and lazy.

import { assertNever } from "./assert.ts";
import { parseRegExp } from "./regexp-syntax.ts";
import type { Assertion, CharacterTest, RegExpNode } from "./regexp-syntax.ts";

export { RegExpFault } from "./regexp-syntax.ts";

type Instruction =
  | { kind: "character"; test: CharacterTest; next: number }
  | { kind: "split"; next: readonly number[] }
  | { kind: "assert"; test: Assertion; next: number }
  | { kind: "match" };

/** A test for texts of which some part matches. Throws RegExpFault with Go's text. */
export function compileRegExp(pattern: string): (text: string) => boolean {
  const program: Instruction[] = [{ kind: "match" }];
  const start = emit(program, parseRegExp(pattern), 0);
  return (text) => run(program, start, text);
}

/** Appends code for `node` that goes on at `next`; answers where it starts. */
function emit(program: Instruction[], node: RegExpNode, next: number): number {
  switch (node.kind) {
    case "character":
      return program.push({ kind: "character", test: node.test, next }) - 1;
    case "assert":
      return program.push({ kind: "assert", test: node.test, next }) - 1;
    case "sequence":
      return node.items.reduceRight((at, item) => emit(program, item, at), next);
    case "choice": {
      const starts = node.items.map((item) => emit(program, item, next));
      return program.push({ kind: "split", next: starts }) - 1;
    }
    case "repeat":
      return emitRepeat(program, node, next);
  }
  return assertNever(node);
}

function emitRepeat(
  program: Instruction[],
  { item, min, max }: Extract<RegExpNode, { kind: "repeat" }>,
  next: number,
): number {
  let at = next;
  if (max === null) {
    const loop = program.push({ kind: "split", next: [] }) - 1;
    const body = emit(program, item, loop);
    program[loop] = { kind: "split", next: [body, next] };
    at = loop;
  } else {
    for (let count = min; count < max; count++) {
      const body = emit(program, item, at);
      at = program.push({ kind: "split", next: [body, next] }) - 1;
    }
  }
  for (let count = 0; count < min; count++) at = emit(program, item, at);
  return at;
}

/** Runs every thread one character at a time, beginning a new one at each position. */
function run(program: readonly Instruction[], start: number, text: string): boolean {
  const characters = Array.from(text);
  let threads = new Set<number>();
  for (let at = 0; at <= characters.length; at++) {
    const before = characters[at - 1];
    const after = characters[at];
    const ready = new Set<number>();
    if (follow(program, [...threads, start], before, after, ready)) return true;
    if (after === undefined) return false;
    threads = new Set();
    for (const thread of ready) {
      const instruction = program[thread];
      if (instruction?.kind === "character" && instruction.test(after)) {
        threads.add(instruction.next);
      }
    }
  }
  return false;
}

/** Collects the instructions that wait for a character; true when one of the threads has matched. */
function follow(
  program: readonly Instruction[],
  from: number[],
  before: string | undefined,
  after: string | undefined,
  ready: Set<number>,
): boolean {
  for (let at = from.pop(); at !== undefined; at = from.pop()) {
    if (ready.has(at)) continue;
    ready.add(at);
    const instruction = program[at];
    if (instruction?.kind === "match") return true;
    if (instruction?.kind === "split") from.push(...instruction.next);
    else if (instruction?.kind === "assert" && instruction.test(before, after)) {
      from.push(instruction.next);
    }
  }
  return false;
}
