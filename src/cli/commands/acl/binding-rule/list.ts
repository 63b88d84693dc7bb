// `acl binding-rule list`.

import { command, failing } from "../../../command.ts";
import { textFlag } from "../../../flags.ts";
import { ruleKind } from "../kinds.ts";
import { outputFormat, showFlags, showList } from "../show.ts";
import type { BindingRule } from "../types.ts";

export default command({
  usage: ["acl binding-rule list [options]"],
  about: "Lists the binding rules, all or those of an auth method.",
  asks: "servers",
  flags: { ...showFlags, method: textFlag("Only rules of the auth method of this name.") },
  async run(call) {
    const { method } = call.flags;
    const answer = await call.api
      .get("/v1/acl/binding-rules", { query: method === "" ? {} : { authmethod: method } })
      .catch(failing("Failed to retrieve the binding rule list"));
    showList(call, outputFormat(call), ruleKind, answer.json<BindingRule[]>());
  },
});
