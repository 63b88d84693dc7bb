// `acl role list`.

import { command, failing } from "../../../command.ts";
import { roleKind } from "../kinds.ts";
import { outputFormat, showFlags, showList } from "../show.ts";
import type { Role } from "../types.ts";

export default command({
  usage: ["acl role list [options]"],
  about: "Lists all roles.",
  asks: "servers",
  flags: showFlags,
  async run(call) {
    const answer = await call.api
      .get("/v1/acl/roles")
      .catch(failing("Failed to retrieve the role list"));
    showList(call, outputFormat(call), roleKind, answer.json<Role[]>());
  },
});
