// `kv delete`: removes a key, or all below a prefix.

import { type Call, command, Failure, failing } from "../../command.ts";
import { type FlagTable, switchFlag, uintFlag } from "../../flags.ts";
import { namespaceFlag } from "../../http-flags.ts";
import { kvPath, withoutSlash } from "./pairs.ts";

const flags = {
  ...namespaceFlag,
  cas: switchFlag("Delete only if the key is still at -modify-index."),
  "modify-index": uintFlag("With -cas, the ModifyIndex that the key must have."),
  recurse: switchFlag("Delete every key that begins with the argument."),
} satisfies FlagTable;

export default command({
  usage: ["kv delete [options] KEY_OR_PREFIX"],
  about: `
Removes a key and its value. That there is no such key is no error.

    $ consul kv delete foo

    $ consul kv delete -recurse foo/`,
  asks: "servers",
  flags,
  async run(call) {
    const { api, flags: options, print } = call;
    const key = keyFrom(call);
    if (options.recurse) {
      const query = { recurse: "" };
      await api
        .delete(kvPath(key), { query })
        .catch(failing(`Error! Did not delete prefix ${key}`));
      print(`Success! Deleted keys with prefix: ${key}`);
      return;
    }
    const query = options.cas ? { cas: String(options["modify-index"]) } : {};
    const answer = await api
      .delete(kvPath(key), { query })
      .catch(failing(`Error! Did not delete key ${key}`));
    if (options.cas && !answer.text.includes("true")) {
      throw new Failure(`Error! Did not delete key ${key}: CAS failed`);
    }
    print(`Success! Deleted key: ${key}`);
  },
});

function keyFrom({ args, flags: options }: Call<typeof flags>): string {
  const { cas, recurse, "modify-index": index } = options;
  if (args.length > 1) throw new Failure(`Too many arguments (expected 1, got ${args.length})`);
  const key = withoutSlash(args[0] ?? "");
  if (key === "" && !recurse) throw new Failure("Error! Missing KEY argument");
  if (!cas && index !== 0n) throw new Failure("Cannot specify -modify-index without -cas!");
  if (cas && index === 0n) throw new Failure("Must specify -modify-index with -cas!");
  if (recurse && cas) throw new Failure("Cannot specify both -cas and -recurse!");
  return key;
}
