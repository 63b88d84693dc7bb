// `acl binding-rule update`.

import { misused } from "../../../arguments.ts";
import { command, Failure, failing } from "../../../command.ts";
import { switchFlag, textFlag } from "../../../flags.ts";
import { ruleKind } from "../kinds.ts";
import { outputFormat, show, showFlags } from "../show.ts";
import type { BindingRule } from "../types.ts";
import { fieldFlags, readRule, rulePath, wholeRuleId } from "./fields.ts";

export default command({
  usage: ["acl binding-rule update -id ID [options]"],
  about: `
Changes a binding rule. What no flag names stays as it is, unless -no-merge says otherwise.

    $ consul acl binding-rule update -id=43cb72df -bind-name=web`,
  asks: "servers",
  flags: {
    ...showFlags,
    ...fieldFlags,
    "bind-type": textFlag('What -bind-name names: "service" or "role".', "service"),
    id: textFlag("ID of the rule, or the beginning of one. Required."),
    "no-merge": switchFlag("Replace everything but the ID, also what no flag names."),
  },
  async run(call) {
    const { api, flags: given } = call;
    if (given.id === "") {
      throw new Failure("Cannot update a binding rule without specifying the -id parameter");
    }
    const id = await wholeRuleId(api, given.id);
    const format = outputFormat(call);
    const before = await readRule(api, id);
    if (given["no-merge"] && given["bind-name"] === "") {
      throw misused(call, "Missing required '-bind-name' flag", "\n");
    }
    const empty = { ID: id, AuthMethod: before.AuthMethod, Description: "", Selector: "" };
    const body = {
      ...(given["no-merge"] ? empty : before),
      ...(given.description !== "" && { Description: given.description }),
      ...(given["bind-type"] !== "" && { BindType: given["bind-type"] }),
      ...(given["bind-name"] !== "" && { BindName: given["bind-name"] }),
      ...(given.selector !== "" && { Selector: given.selector }),
    };
    const answer = await api
      .put(rulePath(id), { body })
      .catch(failing(`Error updating binding rule "${id}"`));
    show(call, format, ruleKind, answer.json<BindingRule>());
  },
});
