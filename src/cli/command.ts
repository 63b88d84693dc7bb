// What a command of the command line is. One file each under commands/; main.ts lists them.

export interface Command {
  name: string;
  /** One line for the list of commands. */
  synopsis: string;
  /** Resolves to the exit code. `args` is what follows the command's name. */
  run(args: readonly string[]): Promise<number>;
}

export function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

export function complain(line: string): void {
  process.stderr.write(`${line}\n`);
}
