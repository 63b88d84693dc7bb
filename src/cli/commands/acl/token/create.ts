// `acl token create`.

import { formatDuration } from "../../../../core/model/duration.ts";
import { command, Failure, failing } from "../../../command.ts";
import { durationFlag, type FlagTable, switchFlag, textFlag } from "../../../flags.ts";
import {
  grantFlags,
  grantsNothing,
  identities,
  policyLinks,
  roleFlags,
  roleLinks,
} from "../grants.ts";
import { tokenKind } from "../kinds.ts";
import { outputFormat, show, showFlags } from "../show.ts";
import type { Token } from "../types.ts";

const flags = {
  ...showFlags,
  ...grantFlags,
  ...roleFlags,
  accessor: textFlag("Accessor ID of the token, a UUID; a new one when absent."),
  description: textFlag("What the token is for."),
  "expires-ttl": durationFlag("How long the token is valid."),
  local: switchFlag("Valid in this datacenter only."),
  secret: textFlag("Secret ID of the token, a UUID; a new one when absent."),
} satisfies FlagTable;

export default command({
  usage: ["acl token create [options]"],
  about: `
Creates a token and prints it.

    $ consul acl token create -policy-name "operators"

    $ consul acl token create -service-identity "web"`,
  asks: "servers",
  flags,
  async run(call) {
    const { api, flags: given } = call;
    if (grantsNothing(given)) {
      throw new Failure(
        "Cannot create a token without specifying -policy-name, -policy-id, -role-name, " +
          "-role-id, -service-identity, or -node-identity at least once",
      );
    }
    const format = outputFormat(call);
    const granted = identities(given);
    const body = {
      Description: given.description,
      Local: given.local,
      ...(given.accessor !== "" && { AccessorID: given.accessor }),
      ...(given.secret !== "" && { SecretID: given.secret }),
      ...(given["expires-ttl"] > 0 && { ExpirationTTL: formatDuration(given["expires-ttl"]) }),
      Policies: await policyLinks(api, given),
      Roles: await roleLinks(api, given),
      ...granted,
    };
    const answer = await api
      .put("/v1/acl/token", { body })
      .catch(failing("Failed to create new token"));
    show(call, format, tokenKind, answer.json<Token>());
  },
});
