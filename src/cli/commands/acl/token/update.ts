// `acl token update`.

import { pathEscape } from "../../../api.ts";
import { type Call, command, Failure, failing } from "../../../command.ts";
import { type FlagTable, switchFlag, textFlag } from "../../../flags.ts";
import { readToken, tokenId } from "../find.ts";
import {
  grantFlags,
  identities,
  isSameLink,
  isSameNode,
  isSameService,
  merged,
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
  description: textFlag("What the token is for."),
  id: textFlag('Accessor ID of the token, the beginning of one, or "anonymous". Required.'),
  "merge-node-identities": switchFlag("Add identities of nodes, instead of replacing them."),
  "merge-policies": switchFlag("Add policies, instead of replacing them."),
  "merge-roles": switchFlag("Add roles, instead of replacing them."),
  "merge-service-identities": switchFlag("Add identities of services, instead of replacing them."),
  "upgrade-legacy": switchFlag(
    "Put the policies in the place of the rules of a legacy token, which keeps its secret. They " +
      "must grant its users what they need.",
  ),
} satisfies FlagTable;

export default command({
  usage: ["acl token update [options]"],
  about: `
Changes a token. Lists that no flag merges are replaced by what flags give.

    $ consul acl token update -id abcd -policy-name "a" -merge-policies`,
  asks: "servers",
  flags,
  async run(call) {
    const { api, flags: given } = call;
    if (given.id === "") {
      throw new Failure("Cannot update a token without specifying the -id parameter");
    }
    const id = await tokenId(api, given.id).catch(failing("Error determining token ID"));
    const format = outputFormat(call);
    const before = await readToken(api, id).catch(failing("Error when retrieving current token"));
    const body = await changed(call, before);
    const answer = await api
      .put(`/v1/acl/token/${pathEscape(id)}`, { body })
      .catch(failing(`Failed to update token ${id}`));
    show(call, format, tokenKind, answer.json<Token>());
  },
});

async function changed({ api, flags: given }: Call<typeof flags>, before: Token): Promise<object> {
  const upgrades = given["upgrade-legacy"];
  if (upgrades && !before.Rules) {
    throw new Failure("Can't use -upgrade-legacy on a non-legacy token");
  }
  const granted = identities(given);
  const policies = await policyLinks(api, given);
  const roles = await roleLinks(api, given);
  const base = <One>(merges: boolean, list: One[] | null | undefined): One[] =>
    merges ? (list ?? []) : [];
  return {
    ...before,
    ...(upgrades && { Rules: "" }),
    ...(given.description !== "" && { Description: given.description }),
    Policies: merged(base(given["merge-policies"], before.Policies), policies, isSameLink),
    Roles: merged(base(given["merge-roles"], before.Roles), roles, isSameLink),
    ServiceIdentities: merged(
      base(given["merge-service-identities"], before.ServiceIdentities),
      granted.ServiceIdentities,
      isSameService,
    ),
    NodeIdentities: merged(
      base(given["merge-node-identities"], before.NodeIdentities),
      granted.NodeIdentities,
      isSameNode,
    ),
  };
}
