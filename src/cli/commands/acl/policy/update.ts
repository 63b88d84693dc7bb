// `acl policy update`.

import { pathEscape } from "../../../api.ts";
import { command, failing } from "../../../command.ts";
import { type FlagTable, switchFlag } from "../../../flags.ts";
import { policyKind } from "../kinds.ts";
import { outputFormat, show, showFlags } from "../show.ts";
import type { Policy } from "../types.ts";
import { fieldFlags, rulesFrom, whichFlags, whichPolicy } from "./fields.ts";

const flags = {
  ...showFlags,
  ...fieldFlags,
  ...whichFlags,
  "no-merge": switchFlag("Replace everything but the ID, also what no flag names."),
} satisfies FlagTable;

export default command({
  usage: ["acl policy update [options]"],
  about: `
Changes a policy. What no flag names stays as it is, unless -no-merge says otherwise.

    $ consul acl policy update -id abcd -name "better-name"`,
  asks: "servers",
  flags,
  async run(call) {
    const { api, flags: given } = call;
    const id = await whichPolicy(api, given.id, given.name);
    const format = outputFormat(call);
    const rules = await rulesFrom(call);
    const datacenters = given["valid-datacenter"];
    const path = `/v1/acl/policy/${pathEscape(id)}`;
    const before = given["no-merge"]
      ? { ID: id, Name: "", Description: "", Rules: "", Datacenters: [] }
      : (await api.get(path).catch(failing(`Error reading policy "${id}"`))).json<Policy>();
    const body = {
      ...before,
      ...(given.name !== "" && { Name: given.name }),
      ...(given.description !== "" && { Description: given.description }),
      ...(rules !== "" && { Rules: rules }),
      ...(datacenters.length > 0 && { Datacenters: datacenters }),
    };
    const answer = await api.put(path, { body }).catch(failing(`Error updating policy "${id}"`));
    show(call, format, policyKind, answer.json<Policy>());
  },
});
