// `acl binding-rule create`.

import { misused } from "../../../arguments.ts";
import { command, failing } from "../../../command.ts";
import { textFlag } from "../../../flags.ts";
import { ruleKind } from "../kinds.ts";
import { outputFormat, show, showFlags } from "../show.ts";
import type { BindingRule } from "../types.ts";
import { fieldFlags } from "./fields.ts";

export default command({
  usage: ["acl binding-rule create [options]"],
  about: `
Creates a binding rule, which says what logins of an auth method get, and prints it.

    $ consul acl binding-rule create -method=minikube -bind-name=web`,
  asks: "servers",
  flags: {
    ...showFlags,
    ...fieldFlags,
    "bind-type": textFlag('What -bind-name names: "service" or "role".', "service"),
    method: textFlag("Name of the auth method. Required."),
  },
  async run(call) {
    const { api, flags: given } = call;
    if (given.method === "") throw misused(call, "Missing required '-method' flag", "\n");
    if (given["bind-type"] === "") throw misused(call, "Missing required '-bind-type' flag", "\n");
    if (given["bind-name"] === "") throw misused(call, "Missing required '-bind-name' flag", "\n");
    const format = outputFormat(call);
    const body = {
      Description: given.description,
      AuthMethod: given.method,
      BindType: given["bind-type"],
      BindName: given["bind-name"],
      Selector: given.selector,
    };
    const answer = await api
      .put("/v1/acl/binding-rule", { body })
      .catch(failing("Failed to create new binding rule"));
    show(call, format, ruleKind, answer.json<BindingRule>());
  },
});
