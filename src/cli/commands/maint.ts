// `maint`: takes the node, or one service of it, out of use, and lists what is.

import { pathEscape } from "../api.ts";
import { type Call, command, Failure, failing } from "../command.ts";
import { type FlagTable, switchFlag, textFlag } from "../flags.ts";

const flags = {
  disable: switchFlag("End maintenance."),
  enable: switchFlag("Begin maintenance."),
  reason: textFlag("Why; shown in the notes of the check that says so."),
  service: textFlag("ID of the service that is meant, instead of the node."),
} satisfies FlagTable;

interface Check {
  CheckID: string;
  ServiceID: string;
  Notes: string;
}

export default command({
  usage: ["maint [options]"],
  about: `
Puts the agent's node, or one of its services, into maintenance: a critical check keeps it out of
DNS and of healthy answers. That lasts over restarts, until it is disabled. Without flags it lists
what is in maintenance.`,
  asks: "agent",
  flags,
  async run(call) {
    const { enable, disable, reason, service } = call.flags;
    if (enable && disable) throw new Failure("Only one of -enable or -disable may be provided");
    if (!enable && reason !== "") throw new Failure("Reason may only be provided with -enable");
    if (!enable && !disable && service !== "") {
      throw new Failure("Service requires either -enable or -disable");
    }
    if (!enable && !disable) await list(call);
    else await change(call);
  },
});

async function list({ api, print }: Call<typeof flags>): Promise<void> {
  const self = await api.get("/v1/agent/self").catch(failing("Error querying Consul agent"));
  const { Config: config } = self.json<{ Config: { NodeName: string } }>();
  const answer = await api.get("/v1/agent/checks").catch(failing("Error querying Consul agent"));
  for (const check of Object.values(answer.json<Record<string, Check>>())) {
    const isNode = check.CheckID === "_node_maintenance";
    if (!isNode && !check.CheckID.startsWith("_service_maintenance:")) continue;
    print(isNode ? "Node:" : "Service:");
    print(isNode ? `  Name:   ${config.NodeName}` : `  ID:     ${check.ServiceID}`);
    print(`  Reason: ${check.Notes}`);
    print("");
  }
}

async function change({ api, flags: options, print }: Call<typeof flags>): Promise<void> {
  const { enable, reason, service } = options;
  const what = service === "" ? "node" : "service";
  const path =
    service === ""
      ? "/v1/agent/maintenance"
      : `/v1/agent/service/maintenance/${pathEscape(service)}`;
  const query = { enable: String(enable), ...(enable && { reason }) };
  const context = `Error ${enable ? "enabling" : "disabling"} ${what} maintenance`;
  await api.put(path, { query }).catch(failing(context));
  const done = enable ? "now enabled" : "now disabled";
  const which = service === "" ? "" : ` for ${JSON.stringify(service)}`;
  print(`${service === "" ? "Node" : "Service"} maintenance is ${done}${which}`);
}
