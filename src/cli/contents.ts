// Every command by its path, with the line that lists it. The file of a command is loaded when it is run or asked for
// help, so that the list costs nothing at start.

import { acl } from "./contents-acl.ts";
import { deployment } from "./contents-deployment.ts";
import { config, connect, operator } from "./contents-operator.ts";
import { tls } from "./contents-tls.ts";
import { type Entry, type Group, leaf } from "./entries.ts";

const kv: Group = {
  synopsis: "Interact with the key-value store",
  about: `
Reads and writes the key-value store.

    $ consul kv put redis/config/connections 5

    $ consul kv get redis/config/connections

    $ consul kv get -detailed redis/config/connections

    $ consul kv delete redis/config/connections`,
  members: {
    delete: leaf("Removes data from the KV store", () => import("./commands/kv/delete.ts")),
    export: leaf(
      "Exports a tree from the KV store as JSON",
      () => import("./commands/kv/export.ts"),
    ),
    get: leaf("Retrieves or lists data from the KV store", () => import("./commands/kv/get.ts")),
    import: leaf(
      "Imports a tree stored as JSON to the KV store",
      () => import("./commands/kv/import.ts"),
    ),
    put: leaf("Sets or updates data in the KV store", () => import("./commands/kv/put.ts")),
  },
};

const catalog: Group = {
  synopsis: "Interact with the catalog",
  about: `
Asks the catalog what there is.

    $ consul catalog datacenters

    $ consul catalog nodes

    $ consul catalog services`,
  members: {
    datacenters: leaf(
      "Lists all known datacenters",
      () => import("./commands/catalog/datacenters.ts"),
    ),
    nodes: leaf(
      "Lists all nodes in the given datacenter",
      () => import("./commands/catalog/nodes.ts"),
    ),
    services: leaf(
      "Lists all registered services in a datacenter",
      () => import("./commands/catalog/services.ts"),
    ),
  },
};

const intention: Group = {
  synopsis: "Interact with Connect service intentions",
  about: `
Says which services may connect to which.

    $ consul intention create web db

    $ consul intention check web db

    $ consul intention match db`,
  members: {
    check: leaf(
      "Check whether a connection between two services is allowed.",
      () => import("./commands/intention/check.ts"),
    ),
    create: leaf(
      "Create intentions for service connections.",
      () => import("./commands/intention/create.ts"),
    ),
    delete: leaf("Delete an intention.", () => import("./commands/intention/delete.ts")),
    get: leaf("Show information about an intention.", () => import("./commands/intention/get.ts")),
    match: leaf(
      "Show intentions that match a source or destination.",
      () => import("./commands/intention/match.ts"),
    ),
  },
};

const services: Group = {
  synopsis: "Interact with services",
  about: `
Registers services with the agent.

    $ consul services register web.json

    $ consul services deregister -id=web`,
  members: {
    deregister: leaf(
      "Deregister services with the local agent",
      () => import("./commands/services/deregister.ts"),
    ),
    register: leaf(
      "Register services with the local agent",
      () => import("./commands/services/register.ts"),
    ),
  },
};

const snapshot: Group = {
  synopsis: "Saves, restores and inspects snapshots of Consul server state",
  usage: "<subcommand> [options] [args]",
  about: `
Saves the whole state of the servers as a file, and restores it, here or in another datacenter.

    $ consul snapshot save backup.snap

    $ consul snapshot inspect backup.snap

    $ consul snapshot restore backup.snap`,
  members: {
    inspect: leaf(
      "Displays information about a Consul snapshot file",
      () => import("./commands/snapshot/inspect.ts"),
    ),
    restore: leaf(
      "Restores snapshot of Consul server state",
      () => import("./commands/snapshot/restore.ts"),
    ),
    save: leaf(
      "Saves snapshot of Consul server state",
      () => import("./commands/snapshot/save.ts"),
    ),
  },
};

export const contents: Readonly<Record<string, Entry>> = {
  ...deployment,
  acl,
  agent: leaf("Runs a Consul agent", () => import("./commands/agent.ts")),
  catalog,
  config,
  connect,
  debug: leaf(
    "Records a debugging archive for operators",
    () => import("./commands/debug/index.ts"),
  ),
  event: leaf("Fire a new event", () => import("./commands/event.ts")),
  exec: leaf("Executes a command on Consul nodes", () => import("./commands/exec/index.ts")),
  "force-leave": leaf(
    'Forces a member of the cluster to enter the "left" state',
    () => import("./commands/force-leave.ts"),
  ),
  info: leaf("Provides debugging information for operators.", () => import("./commands/info.ts")),
  intention,
  join: leaf("Tell Consul agent to join cluster", () => import("./commands/join.ts")),
  keygen: leaf("Generates a new encryption key", () => import("./commands/keygen.ts")),
  keyring: leaf("Manages gossip layer encryption keys", () => import("./commands/keyring.ts")),
  kv,
  lock: leaf("Execute a command holding a lock", () => import("./commands/lock/index.ts")),
  login: leaf("Login to Consul using an auth method", () => import("./commands/login.ts")),
  logout: leaf("Destroy a Consul token created with login", () => import("./commands/logout.ts")),
  monitor: leaf("Stream logs from a Consul agent", () => import("./commands/monitor.ts")),
  rtt: leaf("Estimates network round trip time between nodes", () => import("./commands/rtt.ts")),
  maint: leaf("Controls node or service maintenance mode", () => import("./commands/maint.ts")),
  members: leaf("Lists the members of a Consul cluster", () => import("./commands/members.ts")),
  operator,
  reload: leaf(
    "Triggers the agent to reload configuration files",
    () => import("./commands/reload.ts"),
  ),
  services,
  snapshot,
  leave: leaf(
    "Gracefully leaves the Consul cluster and shuts down",
    () => import("./commands/leave.ts"),
  ),
  tls,
  validate: leaf("Validate config files/directories", () => import("./commands/validate.ts")),
  watch: leaf("Watch for changes in Consul", () => import("./commands/watch.ts")),
  version: leaf("Prints the Consul version", () => import("./commands/version.ts")),
};
