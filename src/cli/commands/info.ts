// `info`: what an agent counts about itself.

import { sortedKeys } from "../../core/model/json.ts";
import { command, failing } from "../command.ts";

export default command({
  usage: ["info [options]"],
  about: "Prints what the agent knows about its own working, section by section.",
  asks: "agent",
  flags: {},
  async run({ api, print }) {
    const answer = await api.get("/v1/agent/self").catch(failing("Error querying agent"));
    const { Stats: sections } = answer.json<{ Stats: Record<string, Record<string, string>> }>();
    for (const name of sortedKeys(sections)) {
      print(`${name}:`);
      const values = sections[name] ?? {};
      for (const key of sortedKeys(values)) print(`\t${key} = ${values[key]}`);
    }
  },
});
