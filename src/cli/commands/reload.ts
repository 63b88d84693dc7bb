// `reload`: makes the agent read its configuration again.

import { command, failing } from "../command.ts";

export default command({
  usage: ["reload"],
  about: "Makes the agent read its configuration files again, as SIGHUP does.",
  asks: "agent",
  flags: {},
  async run({ api, print }) {
    await api.put("/v1/agent/reload").catch(failing("Error reloading"));
    print("Configuration reload triggered");
  },
});
