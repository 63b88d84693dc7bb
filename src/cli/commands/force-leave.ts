// `force-leave`: says of a member that failed that it left.

import { pathEscape } from "../api.ts";
import { misused } from "../arguments.ts";
import { command, failing } from "../command.ts";
import { switchFlag } from "../flags.ts";

export default command({
  usage: ["force-leave [options] name"],
  about: `
Puts a member that failed into the state "left", so that nobody waits for it any more. One that is
alive after all comes back by itself.`,
  asks: "agent",
  flags: { prune: switchFlag("Remove it from the list of members, too.") },
  async run(call) {
    const [name, ...more] = call.args;
    if (name === undefined || more.length > 0) {
      throw misused(call, "A single node name must be specified to force leave.");
    }
    const query = call.flags.prune ? { prune: "1" } : {};
    await call.api
      .put(`/v1/agent/force-leave/${pathEscape(name)}`, { query })
      .catch(failing("Error force leaving"));
  },
});
