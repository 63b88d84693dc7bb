// Asks what is missing, and asks again when an answer cannot be used.

import { createInterface } from "node:readline/promises";

import { DeploymentError } from "./deployment.ts";

export interface Terminal {
  /** Whether somebody sits there who can be asked. */
  interactive: boolean;
  print(line: string): void;
  /** The answer, without its line's end. */
  ask(question: string): Promise<string>;
}

export function processTerminal(): Terminal {
  const { stdin: input, stdout: output } = process;
  return {
    interactive: input.isTTY && output.isTTY,
    print: (line) => void output.write(`${line}\n`),
    ask: async (question) => {
      const lines = createInterface({ input, output });
      try {
        return (await lines.question(question)).trim();
      } finally {
        lines.close();
      }
    },
  };
}

/** An empty answer is the default. `flag` says how else to tell. Throws DeploymentError where nobody can be asked. */
export async function answer<Value>(
  terminal: Terminal,
  {
    question,
    byDefault,
    flag,
    read,
  }: {
    question: string;
    byDefault: string;
    flag: string;
    read(given: string): Value;
  },
): Promise<Value> {
  if (!terminal.interactive) {
    throw new DeploymentError(`nobody can be asked here: give ${flag} (for example ${byDefault})`);
  }
  for (;;) {
    const given = await terminal.ask(`${question} [${byDefault}]: `);
    try {
      return read(given === "" ? byDefault : given);
    } catch (failure) {
      if (!(failure instanceof DeploymentError)) throw failure;
      terminal.print(failure.message);
    }
  }
}

/** Throws DeploymentError where nobody can be asked. */
export async function confirm(terminal: Terminal, question: string): Promise<boolean> {
  if (!terminal.interactive) throw new DeploymentError("nobody can be asked here: give --yes");
  return /^y(?:es)?$/i.test(await terminal.ask(`${question} [y/N]: `));
}
