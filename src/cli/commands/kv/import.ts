// `kv import`: writes what `kv export` printed.

import { decodeBody, firstBadBase64 } from "../../../core/model/decode.ts";
import type { Field, StructType } from "../../../core/model/schema.ts";
import { command, Failure, failing, messageOf } from "../../command.ts";
import { dataFrom } from "../../data.ts";
import { namespaceFlag } from "../../http-flags.ts";
import { checkName, kvPath } from "./pairs.ts";

interface Entry {
  key: string;
  /** As digits: up to 64 bits. */
  flags: string;
  value: string;
}

export default command({
  usage: ["kv import [DATA]"],
  about: `
Writes the keys of a JSON text as "kv export" prints it. The text is the
argument itself, the file that follows an "@", or what stdin gives for "-".

    $ consul kv import @tree.json

    $ cat tree.json | consul kv import -`,
  asks: "servers",
  flags: namespaceFlag,
  async run({ api, args, around, print }) {
    const text = await textFrom(args, around);
    for (const { key, flags, value } of entriesOf(text)) {
      const bad = firstBadBase64(value);
      if (bad !== null) {
        throw new Failure(
          `Error base 64 decoding value for key ${key}: illegal base64 data at input byte ${bad}`,
        );
      }
      const context = `Error! Failed writing data for key ${key}`;
      checkName(key, context);
      const query = flags === "0" ? {} : { flags };
      const body = Buffer.from(value, "base64");
      await api.put(kvPath(key), { query, body }).catch(failing(context));
      print(`Imported: ${key}`);
    }
  },
});

async function textFrom(
  args: readonly string[],
  around: Parameters<typeof dataFrom>[1],
): Promise<string> {
  if (args.length > 1) {
    throw new Failure(`Error! Too many arguments (expected 1, got ${args.length})`);
  }
  if (args[0] === undefined) throw new Failure("Error! Missing DATA argument");
  if (args[0] === "") throw new Failure("Error! Empty DATA argument");
  const data = await dataFrom(args[0], around).catch(failing("Error!"));
  return data.toString();
}

const textField: Field = { type: { kind: "string" } };

const entrySchema: StructType = {
  kind: "struct",
  goName: "impexp.Entry",
  fields: { key: textField, flags: { type: { kind: "uint64" } }, value: textField },
};

function entriesOf(text: string): Entry[] {
  try {
    const type = { kind: "list", item: entrySchema, goName: "[]*impexp.Entry" } as const;
    return (decodeBody(type, text, "ignore") ?? []) as Entry[];
  } catch (failure) {
    throw new Failure(`Cannot unmarshal data: ${messageOf(failure)}`);
  }
}
