// `join-token create`, beyond Consul: what a host shows when it joins a deployment for the first time.

import { formatDuration } from "../../../core/model/duration.ts";
import { command, failing } from "../../command.ts";
import { durationFlag, type FlagTable, listFlag, textFlag } from "../../flags.ts";
import { grantFlags, identities, policyLinks, roleFlags, roleLinks } from "../acl/grants.ts";

const { "node-identity": _node, ...grants } = grantFlags;

const flags = {
  ...grants,
  ...roleFlags,
  description: textFlag("What the token is for."),
  node: listFlag("Name of a node that may join by it; with * at the end, all that begin so."),
  ttl: durationFlag("How long it lets hosts in. What has joined stays."),
} satisfies FlagTable;

export default command({
  usage: ["join-token create [options]"],
  about: `
Makes a token by which hosts join a deployment, and prints it, once. Each host
gets a token of its own for it, which may write its node, and whatever the join
token is given with -policy-name and the like.

    $ proconsul join-token create -node "web-*" -ttl 720h

    $ proconsul join-token create -policy-name web-services`,
  asks: "servers",
  flags,
  async run({ api, flags: given, print }) {
    const granted = { ...given, "node-identity": [] };
    const { ServiceIdentities } = identities(granted);
    const body = {
      Description: given.description,
      Nodes: given.node,
      ...(given.ttl > 0 && { TTL: formatDuration(given.ttl) }),
      Policies: await policyLinks(api, granted),
      Roles: await roleLinks(api, given),
      ServiceIdentities,
    };
    const answer = await api
      .put("/v1/operator/join-token", { body })
      .catch(failing("Failed to create the join token"));
    const { AccessorID, Token, Expires } = answer.json<Record<string, string>>();
    print(`Accessor:  ${AccessorID}`);
    if (Expires) print(`Expires:   ${Expires}`);
    print(`Token:     ${Token}`);
  },
});
