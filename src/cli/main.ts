// The command line: a list of commands, one file each. Behaves as Consul's where it has the command.

import { type Command, complain } from "./command.ts";
import { agent } from "./commands/agent.ts";
import { leave } from "./commands/leave.ts";
import { validate } from "./commands/validate.ts";
import { version } from "./commands/version.ts";

const commands: readonly Command[] = [agent, leave, validate, version];
const helpWords = new Set(["", "-h", "-help", "--help"]);
const versionWords = new Set(["-v", "-version", "--version"]);
/** What Consul exits with for an unknown command and for none at all. */
const unknownCommandCode = 127;

function usage(): string {
  const width = Math.max(...commands.map(({ name }) => name.length));
  const lines = commands.map(({ name, synopsis }) => `    ${name.padEnd(width)}    ${synopsis}`);
  const head = "Usage: proconsul [--version] [--help] <command> [<args>]";
  return `${head}\n\nAvailable commands are:\n${lines.join("\n")}\n`;
}

async function main([name = "", ...args]: readonly string[]): Promise<number> {
  if (versionWords.has(name)) return await version.run(args);
  const command = commands.find((one) => one.name === name);
  if (command) return await command.run(args);
  complain(usage());
  return helpWords.has(name) && name !== "" ? 0 : unknownCommandCode;
}

process.exit(await main(process.argv.slice(2)));
