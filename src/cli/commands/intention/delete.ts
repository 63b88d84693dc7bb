// `intention delete`: removes an intention, by its ID or by what it joins.

import { command, failing } from "../../command.ts";
import { intentionId, intentionPath } from "./targets.ts";

export default command({
  usage: ["intention delete [options] SRC DST", "intention delete [options] ID"],
  about: `
Deletes an intention, found by its source and destination or by its ID.

    $ consul intention delete web db`,
  asks: "servers",
  flags: {},
  async run({ api, args, print }) {
    const id = await intentionId(api, args);
    await api.delete(intentionPath(id)).catch(failing("Error reading the intention"));
    print("Intention deleted.");
  },
});
