// The groups for those who run a datacenter.

import { type Group, leaf } from "./entries.ts";

const autopilot: Group = {
  synopsis: "Provides tools for modifying Autopilot configuration",
  usage: "<subcommand> [options]",
  about: "Reads and changes the rules by which autopilot replaces servers.",
  members: {
    "get-config": leaf(
      "Display the current Autopilot configuration",
      () => import("./commands/operator/autopilot/get-config.ts"),
    ),
    "set-config": leaf(
      "Modify the current Autopilot configuration",
      () => import("./commands/operator/autopilot/set-config.ts"),
    ),
  },
};

const raft: Group = {
  synopsis: "Provides cluster-level tools for Consul operators",
  usage: "<subcommand> [options]",
  about: "Shows and changes which servers belong to the Raft group.",
  members: {
    "list-peers": leaf(
      "Display the current Raft peer configuration",
      () => import("./commands/operator/raft/list-peers.ts"),
    ),
    "remove-peer": leaf(
      "Remove a Consul server from the Raft configuration",
      () => import("./commands/operator/raft/remove-peer.ts"),
    ),
  },
};

export const operator: Group = {
  synopsis: "Provides cluster-level tools for Consul operators",
  usage: "<subcommand> [options]",
  about: "For those who run the servers. See the groups below.",
  members: { autopilot, raft },
};

const ca: Group = {
  synopsis: "Interact with the Consul Connect Certificate Authority (CA)",
  about: `
Reads and changes the configuration of the certificate authority.

    $ consul connect ca get-config

    $ consul connect ca set-config -config-file ca.json`,
  members: {
    "get-config": leaf(
      "Display the current Connect Certificate Authority (CA) configuration",
      () => import("./commands/connect/ca/get-config.ts"),
    ),
    "set-config": leaf(
      "Modify the current Connect CA configuration",
      () => import("./commands/connect/ca/set-config.ts"),
    ),
  },
};

export const connect: Group = {
  synopsis: "Interact with Consul Connect",
  about: "Commands about the certificates of services.",
  members: { ca },
};

export const config: Group = {
  synopsis: "Interact with Consul's Centralized Configurations",
  about: `
Reads and writes configuration entries.

    $ consul config write web.service.hcl

    $ consul config read -kind service-defaults -name web

    $ consul config list -kind service-defaults

    $ consul config delete -kind service-defaults -name web`,
  members: {
    delete: leaf("Delete a centralized config entry", () => import("./commands/config/delete.ts")),
    list: leaf(
      "List centralized config entries of a given kind",
      () => import("./commands/config/list.ts"),
    ),
    read: leaf("Read a centralized config entry", () => import("./commands/config/read.ts")),
    write: leaf(
      "Create or update a centralized config entry",
      () => import("./commands/config/write.ts"),
    ),
  },
};
