// `config write`: creates or changes a configuration entry that is given as HCL or JSON.

import { HclError } from "../../../core/lib/hcl/ast.ts";
import { parseHcl } from "../../../core/lib/hcl/parser.ts";
import { plainHcl } from "../../../core/lib/hcl/plain.ts";
import { decodeEntry } from "../../../core/model/config-entry/decode.ts";
import { configSchemas } from "../../../core/model/config-entry/schemas.ts";
import { DecodeError } from "../../../core/model/raw-json.ts";
import { encode } from "../../../core/model/schema.ts";
import { command, Failure, failing } from "../../command.ts";
import { dataFrom } from "../../data.ts";
import { type FlagTable, switchFlag, uintFlag } from "../../flags.ts";
import { namespaceFlag } from "../../http-flags.ts";

const flags = {
  ...namespaceFlag,
  cas: switchFlag("Write only if the entry is still at -modify-index."),
  "modify-index": uintFlag("With -cas, the ModifyIndex that the entry must have; 0 for a new one."),
} satisfies FlagTable;

export default command({
  usage: ["config write [options] <configuration>"],
  about: `
Creates or changes a configuration entry: the one in a file, or that of stdin for "-", as HCL or as
JSON.

    $ consul config write web.service.hcl`,
  asks: "servers",
  flags,
  async run({ api, args, around, flags: options, print }) {
    const [name, ...more] = args;
    if (name === undefined || more.length > 0) {
      const what = "to specify the config entry to write";
      throw new Failure(`Must provide exactly one positional argument ${what}`);
    }
    const data = await dataFrom(name === "-" ? name : `@${name}`, around).catch(
      failing("Failed to load data"),
    );
    const { title, body } = entryIn(data.toString());
    const query = options.cas ? { cas: String(options["modify-index"]) } : {};
    const answer = await api
      .put("/v1/config", { query, body })
      .catch(failing(`Error writing config entry ${title}`));
    if (options.cas && answer.text.trim() !== "true") {
      throw new Failure(`Config entry not updated: ${title}`);
    }
    print(`Config entry written: ${title}`);
  },
});

function entryIn(text: string): { title: string; body: string } {
  const context = "Failed to decode config entry input";
  try {
    const { kind, entry } = decodeEntry(
      JSON.stringify(plainHcl(parseHcl(text), { single: "object" })),
    );
    const title = `${kind}/${"Name" in entry ? entry.Name : ""}`;
    return { title, body: encode(configSchemas[kind], { ...entry, Kind: kind }) };
  } catch (failure) {
    if (failure instanceof HclError)
      throw new Failure(`${context}: ${context}: ${failure.message}`);
    if (failure instanceof DecodeError) throw new Failure(`${context}: ${failure.message}`);
    throw failure;
  }
}
