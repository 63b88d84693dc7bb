// `acl policy list`.

import { command, failing } from "../../../command.ts";
import { policyKind } from "../kinds.ts";
import { outputFormat, showFlags, showList } from "../show.ts";
import type { Policy } from "../types.ts";

export default command({
  usage: ["acl policy list [options]"],
  about: "Lists all policies, without their rules.",
  asks: "servers",
  flags: showFlags,
  async run(call) {
    const answer = await call.api
      .get("/v1/acl/policies")
      .catch(failing("Failed to retrieve the policy list"));
    showList(call, outputFormat(call), policyKind, answer.json<Policy[]>());
  },
});
