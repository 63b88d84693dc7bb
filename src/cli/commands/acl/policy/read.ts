// `acl policy read`.

import { pathEscape } from "../../../api.ts";
import { command, failing } from "../../../command.ts";
import { policyKind } from "../kinds.ts";
import { outputFormat, show, showFlags } from "../show.ts";
import type { Policy } from "../types.ts";
import { whichFlags, whichPolicy } from "./fields.ts";

export default command({
  usage: ["acl policy read [options] POLICY"],
  about: `
Prints a policy.

    $ consul acl policy read -name my-policy`,
  asks: "servers",
  flags: { ...showFlags, ...whichFlags },
  async run(call) {
    const id = await whichPolicy(call.api, call.flags.id, call.flags.name);
    const answer = await call.api
      .get(`/v1/acl/policy/${pathEscape(id)}`)
      .catch(failing(`Error reading policy "${id}"`));
    show(call, outputFormat(call), policyKind, answer.json<Policy>());
  },
});
