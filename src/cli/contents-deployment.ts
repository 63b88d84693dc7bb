// The commands for a deployment, which Consul does not have.

import { type Entry, type Group, leaf } from "./entries.ts";

const joinToken: Group = {
  synopsis: "Manage the tokens by which hosts join a deployment",
  about: "Makes, lists and revokes what a host shows when it joins a deployment.",
  members: {
    create: leaf("Create a join token", () => import("./commands/join-token/create.ts")),
    list: leaf("List join tokens", () => import("./commands/join-token/list.ts")),
    revoke: leaf("Revoke a join token", () => import("./commands/join-token/revoke.ts")),
  },
};

export const deployment: Readonly<Record<string, Entry>> = {
  cost: leaf("Show what a deployment has cost this month", () => import("./commands/cost.ts")),
  "dns-key": leaf("Create a key for DNS over HTTPS", () => import("./commands/dns-key.ts")),
  "join-token": joinToken,
  upgrade: leaf(
    "Install the agent that the registry hands out",
    () => import("./commands/upgrade.ts"),
  ),
};
