// `acl auth-method list`.

import { command, failing } from "../../../command.ts";
import { methodKind } from "../kinds.ts";
import { outputFormat, showFlags, showList } from "../show.ts";
import type { AuthMethod } from "../types.ts";

export default command({
  usage: ["acl auth-method list [options]"],
  about: "Lists all auth methods, without their configuration.",
  asks: "servers",
  flags: showFlags,
  async run(call) {
    const answer = await call.api
      .get("/v1/acl/auth-methods")
      .catch(failing("Failed to retrieve the auth method list"));
    showList(call, outputFormat(call), methodKind, answer.json<AuthMethod[]>());
  },
});
