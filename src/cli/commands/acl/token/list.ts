// `acl token list`.

import { command, failing } from "../../../command.ts";
import { tokenKind } from "../kinds.ts";
import { outputFormat, showFlags, showList } from "../show.ts";
import type { Token } from "../types.ts";

export default command({
  usage: ["acl token list [options]"],
  about: "Lists all tokens, without their secrets.",
  asks: "servers",
  flags: showFlags,
  async run(call) {
    const answer = await call.api
      .get("/v1/acl/tokens")
      .catch(failing("Failed to retrieve the token list"));
    showList(call, outputFormat(call), tokenKind, answer.json<Token[]>());
  },
});
