// `operator raft remove-peer`: takes a server out of the group that will not come back.

import { command, Failure, failing } from "../../../command.ts";
import { type FlagTable, textFlag } from "../../../flags.ts";

const flags = {
  address: textFlag("Address of the server."),
  id: textFlag("ID of the server."),
} satisfies FlagTable;

export default command({
  usage: ["operator raft remove-peer [options]"],
  about: `
Removes a server from the Raft group, for the rare case that it is gone and nobody noticed. One that
is still listed as a member is better removed with "force-leave".`,
  asks: "servers",
  flags,
  async run({ api, flags: { address, id }, print }) {
    const context = "Error removing peer";
    if (address === "" && id === "") {
      throw new Failure(`${context}: an address or id is required for the peer to remove`);
    }
    if (address !== "" && id !== "") {
      throw new Failure(`${context}: cannot give both an address and id`);
    }
    const query = address === "" ? { id } : { address };
    await api.delete("/v1/operator/raft/peer", { query }).catch(failing(context));
    const which = address === "" ? `id "${id}"` : `address "${address}"`;
    print(`Removed peer with ${which}`);
  },
});
