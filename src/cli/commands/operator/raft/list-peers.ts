// `operator raft list-peers`: the servers, and what they are to each other.

import { columns } from "../../../columns.ts";
import { command, failing } from "../../../command.ts";

interface Server {
  ID: string;
  Node: string;
  Address: string;
  Leader: boolean;
  ProtocolVersion: string;
  Voter: boolean;
}

export default command({
  usage: ["operator raft list-peers [options]"],
  about: "Lists the servers of the Raft group.",
  asks: "servers",
  flags: {},
  async run({ api, print }) {
    const answer = await api
      .get("/v1/operator/raft/configuration")
      .catch(failing("Error getting peers: Failed to retrieve raft configuration"));
    const { Servers: servers } = answer.json<{ Servers: Server[] }>();
    const rows = servers.map((server) => [
      server.Node,
      server.ID,
      server.Address,
      server.Leader ? "leader" : "follower",
      String(server.Voter),
      server.ProtocolVersion === "" ? "<=1" : server.ProtocolVersion,
    ]);
    print(columns([["Node", "ID", "Address", "State", "Voter", "RaftProtocol"], ...rows]));
  },
});
