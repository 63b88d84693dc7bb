// `members`: who is in the datacenter, as the agent sees it.

import { joinHostPort } from "../../core/lib/host-port.ts";
import { compileRegExp } from "../../core/lib/regexp.ts";
import { compareText, sortedKeys } from "../../core/model/json.ts";
import { columns } from "../columns.ts";
import { type Call, command, Failure, failing, messageOf } from "../command.ts";
import { type FlagTable, switchFlag, textFlag } from "../flags.ts";

const flags = {
  detailed: switchFlag("Print the tags of each member."),
  segment: textFlag("Network segment to list, a feature of Consul Enterprise.", "_all"),
  status: textFlag("Regular expression that the status must match.", ".*"),
  wan: switchFlag("List the servers of all datacenters, on an agent that is a server."),
} satisfies FlagTable;

interface Member {
  Name: string;
  Addr: string;
  Port: number;
  Tags: Record<string, string>;
  Status: number;
}

const statuses = ["none", "alive", "leaving", "left", "failed"];
/** When no member matches. */
const noneCode = 2;

export default command({
  usage: ["members [options]"],
  about: "Lists the members of the agent's datacenter.",
  asks: "agent",
  flags,
  async run(call) {
    const isWanted = statusTest(call);
    const members = (await membersOf(call)).filter((member) => isWanted(statusOf(member)));
    if (members.length === 0) return noneCode;
    call.print(columns(call.flags.detailed ? detailed(members) : plain(members)));
    return 0;
  },
});

function statusTest({ flags: { status } }: Call<typeof flags>): (text: string) => boolean {
  try {
    return compileRegExp(status);
  } catch (failure) {
    throw new Failure(`Failed to compile status regexp: ${regexpProblem(failure)}`);
  }
}

/** In Go's words. */
export function regexpProblem(failure: unknown): string {
  const text = messageOf(failure);
  return text.startsWith("error parsing regexp: ") ? text : `error parsing regexp: ${text}`;
}

async function membersOf({ api, flags: options }: Call<typeof flags>): Promise<Member[]> {
  const query = { segment: options.segment, ...(options.wan && { wan: "1" }) };
  const answer = await api
    .get("/v1/agent/members", { query })
    .catch(failing("Error retrieving members"));
  return answer
    .json<Member[]>()
    .map((member) => ({ ...member, Tags: { ...member.Tags, segment: segmentOf(member) } }))
    .toSorted(
      (a, b) =>
        compareText(a.Tags.segment ?? "", b.Tags.segment ?? "") || compareText(a.Name, b.Name),
    );
}

function segmentOf({ Tags: tags }: Member): string {
  if (tags.role === "consul") return "<all>";
  return tags.segment || "<default>";
}

function plain(members: readonly Member[]): string[][] {
  const rows = members.map((member) => {
    const { build = "", dc = "", role, segment = "", vsn = "" } = member.Tags;
    const type = role === "node" ? "client" : role === "consul" ? "server" : "unknown";
    const version = build === "" ? "< 0.3" : (build.split(":")[0] ?? "");
    return [member.Name, address(member), statusOf(member), type, version, vsn, dc, segment];
  });
  return [["Node", "Address", "Status", "Type", "Build", "Protocol", "DC", "Segment"], ...rows];
}

function detailed(members: readonly Member[]): string[][] {
  const rows = members.map((member) => {
    const tags = sortedKeys(member.Tags).map((key) => `${key}=${member.Tags[key]}`);
    return [member.Name, address(member), statusOf(member), tags.join(",")];
  });
  return [["Node", "Address", "Status", "Tags"], ...rows];
}

function address({ Addr: host, Port: port }: Member): string {
  return joinHostPort(host, port);
}

function statusOf({ Status: status }: Member): string {
  return statuses[status] ?? "none";
}
