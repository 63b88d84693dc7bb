// `kv export`: all below a prefix as JSON that `kv import` takes.

import { command, Failure, failing } from "../../command.ts";
import { indentedJson } from "../../json.ts";
import { namespaceFlag } from "../../http-flags.ts";
import { type KvPair, kvPath, withoutSlash } from "./pairs.ts";

export default command({
  usage: ["kv export [KEY_OR_PREFIX]"],
  about: `
Prints the keys that begin with the argument, with flags and values, as JSON.
"kv import" reads it, perhaps in another datacenter.

    $ consul kv export vault/`,
  asks: "servers",
  flags: namespaceFlag,
  async run({ api, args, print }) {
    if (args.length > 1) throw new Failure(`Too many arguments (expected 1, got ${args.length})`);
    const prefix = withoutSlash(args[0] ?? "");
    const answer = await api
      .find(kvPath(prefix), { query: { recurse: "" } })
      .catch(failing("Error querying Consul agent"));
    const pairs = answer === null ? [] : answer.json<KvPair[]>();
    const entries = pairs.map(({ Key, Flags, Value }) => ({
      key: Key,
      flags: Flags,
      value: Value ?? "",
    }));
    print(indentedJson(entries, "\t"));
  },
});
