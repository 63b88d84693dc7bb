// Every area of state. An area may use those before it. To add one, write its folder and add its line here
// (docs/architecture.md, "Add a table").

import { acl } from "./acl/index.ts";
import { auth } from "./auth/index.ts";
import { autopilot } from "./autopilot/index.ts";
import { ca } from "./ca/index.ts";
import { catalog } from "./catalog/index.ts";
import { cluster } from "./cluster/index.ts";
import { config } from "./config/index.ts";
import { coordinate } from "./coordinate/index.ts";
import { distance } from "./distance/index.ts";
import { federation } from "./federation/index.ts";
import { intention } from "./intention/index.ts";
import { kv } from "./kv/index.ts";
import { lock } from "./lock/index.ts";
import { query } from "./query/index.ts";
import { replication } from "./replication/index.ts";
import { session } from "./session/index.ts";
import { snapshot } from "./snapshot/index.ts";
import { txn } from "./txn/index.ts";
import { ui } from "./ui/index.ts";

export const areas = [
  ...[cluster, config, kv, distance, catalog, session, lock, txn, coordinate, query, ui, acl],
  ...[intention, ca, autopilot, auth, snapshot, replication, federation],
] as const;
