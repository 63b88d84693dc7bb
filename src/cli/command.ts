// What a command of the command line is: a table of flags, help in words, and what it does. main.ts lists them.

import { AnswerError, Api } from "./api.ts";
import { FlagError, type FlagTable, type FlagValues, parseFlags } from "./flags.ts";
import { commandHelp, flagUsage, type HelpText } from "./help.ts";
import { agentFlags, connectionFrom, type Environment, serverFlags } from "./http-flags.ts";
import type { Transport } from "./transport.ts";

/** What a command sees of the process it runs in. */
export interface Surroundings {
  out(text: string | Uint8Array): void;
  err(text: string): void;
  stdin(): Promise<Buffer>;
  environment: Environment;
  transport: Transport;
  /** Aborted when the user interrupts. Asked for only by commands that go on until then. */
  interrupted(): AbortSignal;
}

/** A command that begins to run: its arguments, its flags, and whom it may ask. */
export interface Call<Table extends FlagTable> {
  flags: FlagValues<Table>;
  args: readonly string[];
  /** The names of the flags that were given. */
  given: ReadonlySet<string>;
  around: Surroundings;
  /** Made when it is first asked for; throws Failure when flags or environment are wrong. */
  readonly api: Api;
  print(line: string): void;
  complain(line: string): void;
  /** The command's help, for those who leave out what it needs. */
  readonly help: string;
}

/** Ends a command: its text goes to stderr. */
export class Failure extends Error {
  override name = "Failure";
  readonly exitCode: number;

  constructor(message: string, exitCode = 1) {
    super(message);
    this.exitCode = exitCode;
  }
}

export interface CommandDefinition<Table extends FlagTable> extends HelpText {
  /** Whom it talks to: nobody, the agent, or servers by way of the agent. */
  asks: "nobody" | "agent" | "servers";
  flags: Table;
  /** Resolves to the exit code; nothing means 0. */
  run(call: Call<Table>): Promise<number | void>;
}

/** A command, ready to be run with what follows its name. */
export interface Command {
  readonly help: string;
  /** By name; a switch takes no value. */
  readonly flags: Readonly<Record<string, { isSwitch?: boolean }>>;
  run(args: readonly string[], around: Surroundings): Promise<number>;
}

export function command<Table extends FlagTable>(definition: CommandDefinition<Table>): Command {
  const connection: FlagTable = {
    ...(definition.asks !== "nobody" && agentFlags),
    ...(definition.asks === "servers" && serverFlags),
  };
  const help = commandHelp(definition, connection, definition.flags);
  const all = { ...connection, ...definition.flags };
  return {
    help,
    flags: all,
    async run(input, around) {
      const complain = (line: string): void => around.err(`${line}\n`);
      try {
        const { flags, args, given } = parseFlags(all, input);
        const call = callOf({ flags, args, given, around, help });
        return (await definition.run(call)) ?? 0;
      } catch (failure) {
        if (failure instanceof FlagError)
          complain(`${failure.message}\n${flagUsage(all)}`.trimEnd());
        else if (failure instanceof Failure) complain(failure.message);
        else if (isForeign(failure)) complain(`Error: ${failure.message}`);
        else throw failure;
        return failure instanceof Failure ? failure.exitCode : 1;
      }
    },
  };
}

/** Whoever answers may be no agent: a text that is no JSON, or JSON of another shape. */
function isForeign(failure: unknown): failure is Error {
  return failure instanceof AnswerError || failure instanceof TypeError;
}

function callOf<Table extends FlagTable>(
  parts: Pick<Call<Table>, "flags" | "args" | "given" | "around" | "help">,
): Call<Table> {
  const { around } = parts;
  let api: Api | undefined;
  return {
    ...parts,
    get api() {
      api ??= apiFrom(parts.flags, around);
      return api;
    },
    print: (line) => around.out(`${line}\n`),
    complain: (line) => around.err(`${line}\n`),
  };
}

function apiFrom(flags: FlagValues<FlagTable>, around: Surroundings): Api {
  try {
    return new Api(connectionFrom(flags, around.environment), around.transport);
  } catch (failure) {
    throw new Failure(`Error connecting to Consul agent: ${messageOf(failure)}`);
  }
}

export function messageOf(failure: unknown): string {
  return failure instanceof Error ? failure.message : String(failure);
}

/** For `catch`: ends the command with what was tried and why it failed. */
export function failing(context: string): (failure: unknown) => never {
  return (failure) => {
    throw new Failure(`${context}: ${messageOf(failure)}`);
  };
}
