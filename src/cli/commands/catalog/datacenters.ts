// `catalog datacenters`: their names, the nearest first.

import { expectAtMost } from "../../arguments.ts";
import { command, failing } from "../../command.ts";

export default command({
  usage: ["catalog datacenters [options]"],
  about: `
Lists the datacenters that are known, by the estimated round trip from the servers of this one.

    $ consul catalog datacenters`,
  asks: "servers",
  flags: {},
  async run({ api, args, print }) {
    expectAtMost(0, args);
    const answer = await api
      .get("/v1/catalog/datacenters")
      .catch(failing("Error listing datacenters"));
    for (const name of answer.json<string[]>()) print(name);
  },
});
