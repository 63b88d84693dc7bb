// `acl binding-rule read`.

import { command, Failure } from "../../../command.ts";
import { textFlag } from "../../../flags.ts";
import { ruleKind } from "../kinds.ts";
import { outputFormat, show, showFlags } from "../show.ts";
import { readRule, wholeRuleId } from "./fields.ts";

export default command({
  usage: ["acl binding-rule read -id ID [options]"],
  about: `
Prints a binding rule.

    $ consul acl binding-rule read -id fdabbcb5`,
  asks: "servers",
  flags: { ...showFlags, id: textFlag("ID of the rule, or the beginning of one.") },
  async run(call) {
    if (call.flags.id === "") throw new Failure("Must specify the -id parameter.");
    const id = await wholeRuleId(call.api, call.flags.id);
    show(call, outputFormat(call), ruleKind, await readRule(call.api, id));
  },
});
