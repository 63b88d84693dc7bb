// What a shell offers at the end of a line that somebody types: names of commands, then flags of the command. The shell
// runs this program with the line in COMP_LINE, as bash's `complete -C` says; zsh and fish are told to do the same.

import type { Environment } from "./http-flags.ts";
import type { Group } from "./entries.ts";

/** The line, up to the cursor, when a shell asks; null otherwise. */
export function lineToComplete({ COMP_LINE: line, COMP_POINT: point }: Environment): string | null {
  if (line === undefined) return null;
  return point !== undefined && /^\d+$/.test(point) ? line.slice(0, Number(point)) : line;
}

/** Whatever may stand where `line` ends, in order. */
export async function completions(
  line: string,
  contents: Group["members"],
): Promise<readonly string[]> {
  // The program's own name comes first; the last word is what has been typed of the one in question.
  const words = line.trimStart().split(/\s+/).slice(1);
  const typed = words.pop() ?? "";
  return (await candidates(words, contents)).filter((name) => name.startsWith(typed)).toSorted();
}

async function candidates(
  words: readonly string[],
  contents: Group["members"],
): Promise<readonly string[]> {
  let members = contents;
  for (const [at, word] of words.entries()) {
    const entry = Object.hasOwn(members, word) ? members[word] : undefined;
    if (!entry) return [];
    if ("load" in entry) return flagsAfter(words.slice(at + 1), (await entry.load()).default.flags);
    ({ members } = entry);
  }
  return Object.keys(members);
}

type Switches = Readonly<Record<string, { isSwitch?: boolean }>>;

/** No flag after an argument, and none where the value of one is due; the shell has files to offer there. */
function flagsAfter(words: readonly string[], flags: Switches): readonly string[] {
  let isValueDue = false;
  for (const word of words) {
    if (isValueDue) isValueDue = false;
    else if (!word.startsWith("-") || word === "--") return [];
    else {
      const name = word.replace(/^--?/, "");
      isValueDue = Object.hasOwn(flags, name) && flags[name]?.isSwitch !== true;
    }
  }
  return isValueDue ? [] : Object.keys(flags).map((name) => `-${name}`);
}
