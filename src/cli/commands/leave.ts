// `leave`: makes the local agent leave the datacenter and end.

import { command, failing } from "../command.ts";

export default command({
  usage: ["leave [options]"],
  about: "Makes the agent leave the datacenter and end.",
  asks: "agent",
  flags: {},
  async run({ api, args, print, complain, help }) {
    if (args.length > 0) {
      complain(`Error found unexpected args: [${args.join(" ")}]`);
      print(help.trimEnd());
      return 1;
    }
    await api.put("/v1/agent/leave").catch(failing("Error leaving"));
    print("Graceful leave complete");
    return 0;
  },
});
