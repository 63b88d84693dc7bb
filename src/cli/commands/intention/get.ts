// `intention get`: what an intention says.

import { sortedKeys } from "../../../core/model/json.ts";
import { ResponseError } from "../../api.ts";
import { columns } from "../../columns.ts";
import { command, Failure, messageOf } from "../../command.ts";
import { rfc850 } from "../../time.ts";
import { type Intention, intentionId, intentionPath, targetText } from "./targets.ts";

export default command({
  usage: ["intention get [options] SRC DST", "intention get [options] ID"],
  about: `
Shows an intention, found by its source and destination or by its ID.

    $ consul intention get web db`,
  asks: "servers",
  flags: {},
  async run({ api, args, print }) {
    const id = await intentionId(api, args);
    const answer = await api.find(intentionPath(id)).catch(failed);
    if (answer === null) throw new Failure(`Error: Intention with ID "${id}" not found.`);
    print(columns(rowsOf(answer.json<Intention>())));
  },
});

function failed(failure: unknown): never {
  const text =
    failure instanceof ResponseError
      ? `Unexpected response ${failure.status}: ${failure.text}`
      : messageOf(failure);
  throw new Failure(`Error reading the intention: ${text}`);
}

function rowsOf(one: Intention): string[][] {
  const meta = one.Meta ?? {};
  return [
    ["Source:", targetText(one.SourceNS, one.SourceName)],
    ["Destination:", targetText(one.DestinationNS, one.DestinationName)],
    ["Action:", one.Action],
    ["ID:", one.ID],
    ...(one.Description === "" ? [] : [["Description:", one.Description]]),
    ...sortedKeys(meta).map((key) => [`Meta[${key}]:`, meta[key] ?? ""]),
    ["Created At:", rfc850(one.CreatedAt)],
  ];
}
