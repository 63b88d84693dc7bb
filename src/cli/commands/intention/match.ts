// `intention match`: the intentions of a source or a destination, in the order in which they count.

import { command, Failure, failing } from "../../command.ts";
import { type FlagTable, switchFlag } from "../../flags.ts";
import { type Intention, intentionText } from "./targets.ts";

const flags = {
  destination: switchFlag("The argument is a destination, as it is by default."),
  source: switchFlag("The argument is a source."),
} satisfies FlagTable;

export default command({
  usage: ["intention match [options] SRC|DST"],
  about: `
Lists the intentions that count for a source or a destination, the first to decide first.

    $ consul intention match db

    $ consul intention match -source web`,
  asks: "servers",
  flags,
  async run({ api, args, flags: { source, destination }, print }) {
    const [name, ...more] = args;
    if (name === undefined || more.length > 0) {
      throw new Failure("Error: command requires exactly one argument: src or dst");
    }
    if (source && destination) {
      throw new Failure("Error: only one of -source or -destination may be specified");
    }
    const query = { by: source ? "source" : "destination", name };
    const answer = await api
      .get("/v1/connect/intentions/match", { query })
      .catch(failing("Error matching the connection"));
    for (const one of answer.json<Record<string, Intention[]>>()[name] ?? []) {
      print(intentionText(one));
    }
  },
});
