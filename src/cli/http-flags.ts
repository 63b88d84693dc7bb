// The options that every command which talks to an agent shares, with the environment variables behind them.

import { readFileSync } from "node:fs";

import { Client } from "../client/client.ts";

const defaultAddress = "127.0.0.1:8500";

export class UsageError extends Error {
  override name = "UsageError";
}

/** The client that flags and environment describe; throws UsageError for anything else. */
export function clientFrom(
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): Client {
  const flags = parse(args);
  const file = flags["token-file"] ?? environment.CONSUL_HTTP_TOKEN_FILE;
  const token = flags.token ?? environment.CONSUL_HTTP_TOKEN ?? readToken(file);
  const address = flags["http-addr"] ?? environment.CONSUL_HTTP_ADDR ?? defaultAddress;
  const secure = /^(1|t|true)$/i.test(environment.CONSUL_HTTP_SSL ?? "");
  const scheme = secure && !address.includes("://") ? "https://" : "";
  return new Client({ address: scheme + address, token });
}

function readToken(file: string | undefined): string {
  return file === undefined ? "" : readFileSync(file, "utf8").trim();
}

const known = ["http-addr", "token", "token-file"] as const;

function parse(args: readonly string[]): Partial<Record<(typeof known)[number], string>> {
  const flags: Record<string, string> = {};
  for (let at = 0; at < args.length; at++) {
    const argument = args[at] ?? "";
    const [, name, inline] = /^--?([^=]+)(?:=(.*))?$/.exec(argument) ?? [];
    if (name === undefined)
      throw new UsageError(`Too many arguments (expected 0, got ${args.length - at})`);
    if (!known.some((flag) => flag === name)) {
      throw new UsageError(`flag provided but not defined: -${name}`);
    }
    const value = inline ?? args[++at];
    if (value === undefined) throw new UsageError(`flag needs an argument: -${name}`);
    flags[name] = value;
  }
  return flags;
}
