// `join`: tells the agent whom to join.

import { pathEscape } from "../api.ts";
import { misused } from "../arguments.ts";
import { command, messageOf } from "../command.ts";
import { switchFlag } from "../flags.ts";

export default command({
  usage: ["join [options] address ..."],
  about: "Makes the agent join the datacenter that one of the addresses belongs to.",
  asks: "agent",
  flags: { wan: switchFlag("Join a server to servers of other datacenters.") },
  async run(call) {
    const { api, args, flags, print, complain } = call;
    if (args.length === 0) throw misused(call, "At least one address to join must be specified.");
    let joined = 0;
    for (const address of args) {
      const query = flags.wan ? { wan: "1" } : {};
      try {
        await api.put(`/v1/agent/join/${pathEscape(address)}`, { query });
        joined++;
      } catch (failure) {
        complain(`Error joining address '${address}': ${messageOf(failure)}`);
      }
    }
    if (joined === 0) {
      complain("Failed to join any nodes.");
      return 1;
    }
    print(`Successfully joined cluster by contacting ${joined} nodes.`);
    return 0;
  },
});
