// `kv get`: one value, all below a prefix, or their names.

import { encodeBase64 } from "../../../core/lib/base64.ts";
import { ResponseError } from "../../api.ts";
import { type Call, command, Failure, messageOf } from "../../command.ts";
import { type FlagTable, type FlagValues, switchFlag, textFlag } from "../../flags.ts";
import { namespaceFlag } from "../../http-flags.ts";
import { columns } from "../../columns.ts";
import { type KvPair, kvPath, withoutSlash } from "./pairs.ts";

const flags = {
  ...namespaceFlag,
  base64: switchFlag("Print values in base 64."),
  detailed: switchFlag("Print what is known of a key besides its value: flags, indexes, session."),
  keys: switchFlag("Print the names that begin with the argument, and no values."),
  recurse: switchFlag("Print every key that begins with the argument, and its value."),
  separator: textFlag("Where names end with -keys: what is behind it counts as one.", "/"),
} satisfies FlagTable;

type Options = FlagValues<typeof flags>;

export default command({
  usage: ["kv get [options] [KEY_OR_PREFIX]"],
  about: `
Prints the value of a key. It is an error when there is none of that name. With
-recurse and -keys the argument is a prefix, and without it all keys are meant.

    $ consul kv get foo

    $ consul kv get -detailed foo

    $ consul kv get -recurse foo/

    $ consul kv get -keys foo/`,
  asks: "servers",
  flags,
  async run(call) {
    const key = keyFrom(call);
    const { keys, recurse } = call.flags;
    if (keys) await printKeys(call, key);
    else if (recurse) await printAll(call, key);
    else await printOne(call, key);
  },
});

function keyFrom({ args, flags: { keys, recurse } }: Call<typeof flags>): string {
  if (args.length > 1) throw new Failure(`Too many arguments (expected 1, got ${args.length})`);
  const key = withoutSlash(args[0] ?? "");
  if (key === "" && !recurse && !keys) throw new Failure("Error! Missing KEY argument");
  return key;
}

async function printKeys({ api, flags: { separator }, print }: Call<typeof flags>, key: string) {
  const query = { keys: "", ...(separator !== "" && { separator }) };
  const answer = await api.find(kvPath(key), { query }).catch(failed);
  for (const name of answer?.json<string[]>() ?? []) print(name);
}

async function printAll(call: Call<typeof flags>, key: string): Promise<void> {
  const answer = await call.api.find(kvPath(key), { query: { recurse: "" } }).catch(failed);
  const pairs = answer?.json<KvPair[]>() ?? [];
  for (const [at, pair] of pairs.entries()) {
    if (call.flags.detailed) {
      if (at > 0) call.print("");
      printDetails(call, pair);
    } else call.around.out(line(`${pair.Key}:`, valueOf(pair, call.flags)));
  }
}

async function printOne(call: Call<typeof flags>, key: string): Promise<void> {
  const answer = await call.api.find(kvPath(key)).catch(failed);
  const [pair] = answer?.json<KvPair[]>() ?? [];
  if (!pair) throw new Failure(`Error! No key exists at: ${key}`);
  if (call.flags.detailed) printDetails(call, pair);
  else call.around.out(line("", valueOf(pair, call.flags)));
}

function printDetails({ around, flags: options, print }: Call<typeof flags>, pair: KvPair): void {
  const rows = [
    ["CreateIndex", pair.CreateIndex],
    ["Flags", pair.Flags],
    ["Key", pair.Key],
    ["LockIndex", pair.LockIndex],
    ["ModifyIndex", pair.ModifyIndex],
    ["Session", pair.Session ?? "-"],
  ].map(([name, value]) => [String(name), String(value)]);
  print(columns(rows, { gap: "      " }));
  around.out(line("Value            ", valueOf(pair, options)));
}

function valueOf({ Value: value }: KvPair, { base64 }: Options): Buffer {
  const bytes = Buffer.from(value ?? "", "base64");
  return base64 ? Buffer.from(encodeBase64(bytes)) : bytes;
}

function line(before: string, value: Buffer): Buffer {
  return Buffer.concat([Buffer.from(before), value, Buffer.from("\n")]);
}

/** Of a refused read Consul prints the status alone. */
function failed(failure: unknown): never {
  const text =
    failure instanceof ResponseError
      ? `Unexpected response code: ${failure.status}`
      : messageOf(failure);
  throw new Failure(`Error querying Consul agent: ${text}`);
}
