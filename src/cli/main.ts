// The command line. One verb so far: `agent`; the others come with the CLI's own issue.

import { runAgent } from "../agent/main.ts";
import { consulVersion } from "../members.ts";

const usage = `Usage: proconsul [--version] [--help] <command> [<args>]

Available commands are:
    agent      Runs a Proconsul agent
    version    Prints the version of Consul's interfaces that this speaks
`;

type Command = (args: readonly string[]) => Promise<number>;

const commands: Record<string, Command> = {
  agent: runAgent,
  version: printVersion,
};

function printVersion(): Promise<number> {
  process.stdout.write(
    `Consul v${consulVersion}\n` +
      "Protocol 2 spoken by default, understands 2 to 3 " +
      "(agent will automatically use protocol >2 when speaking to compatible agents)\n",
  );
  return Promise.resolve(0);
}

async function main([name = "", ...args]: readonly string[]): Promise<number> {
  if (name === "--version" || name === "-version" || name === "-v") return await printVersion();
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (command) return await command(args);
  const help = name === "" || name === "--help" || name === "-help" || name === "-h";
  process.stderr.write(usage);
  return help && name !== "" ? 0 : 127;
}

process.exit(await main(process.argv.slice(2)));
