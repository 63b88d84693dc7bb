// `event`: fires a user event.

import { compileRegExp } from "../../core/lib/regexp.ts";
import { pathEscape } from "../api.ts";
import { misused } from "../arguments.ts";
import { command, Failure, failing } from "../command.ts";
import { type FlagTable, textFlag } from "../flags.ts";
import { regexpProblem } from "./members.ts";

const flags = {
  name: textFlag("Name of the event."),
  node: textFlag("Regular expression for the names of nodes that it is for."),
  service: textFlag("Regular expression for services: only nodes that have one get it."),
  tag: textFlag("Regular expression for tags of those services. Needs -service."),
} satisfies FlagTable;

export default command({
  usage: ["event [options] [payload]"],
  about: `
Fires an event that every agent of the datacenter hears of, with a payload if one is given. Filters
say which nodes it is for.`,
  asks: "agent",
  flags,
  async run(call) {
    const { api, args, flags: options, print } = call;
    const { name, node, service, tag } = options;
    if (name === "") throw misused(call, "Event name must be specified");
    if (args.length > 1) throw misused(call, "Too many command line arguments.");
    for (const [what, pattern] of Object.entries({ node, service, tag })) check(what, pattern);
    if (tag !== "" && service === "") {
      throw new Failure("Cannot provide tag filter without service filter.");
    }
    await api.get("/v1/agent/self").catch(failing("Error querying Consul agent"));
    const filters = Object.entries({ node, service, tag }).filter(([, pattern]) => pattern !== "");
    const answer = await api
      .put(`/v1/event/fire/${pathEscape(name)}`, {
        query: Object.fromEntries(filters),
        ...(args[0] && { body: args[0] }),
      })
      .catch(failing("Error firing event"));
    print(`Event ID: ${answer.json<{ ID: string }>().ID}`);
  },
});

function check(what: string, pattern: string): void {
  try {
    compileRegExp(pattern);
  } catch (failure) {
    throw new Failure(`Failed to compile ${what} filter regexp: ${regexpProblem(failure)}`);
  }
}
