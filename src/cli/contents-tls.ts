// The commands under `tls`.

import { type Group, leaf } from "./entries.ts";

export const tls: Group = {
  synopsis: "Builtin helpers for creating CAs and certificates",
  usage: "<subcommand> <subcommand> [options]",
  about: `
Makes certificates for agents and servers.

    $ consul tls ca create

    $ consul tls cert create -server

    $ consul tls cert create -client`,
  members: {
    ca: {
      synopsis: "Helpers for CAs",
      about: `
Makes certificate authorities.

    $ consul tls ca create`,
      members: {
        create: leaf("Create a new consul CA", () => import("./commands/tls/ca/create.ts")),
      },
    },
    cert: {
      synopsis: "Helpers for certificates",
      about: `
Makes certificates.

    $ consul tls cert create -server`,
      members: {
        create: leaf("Create a new certificate", () => import("./commands/tls/cert/create.ts")),
      },
    },
  },
};
