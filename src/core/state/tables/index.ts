// Every area of state. An area may use those before it. To add one, write its folder and add its line here
// (docs/architecture.md, "Add a table").

import { ca } from "./ca/index.ts";
import { catalog } from "./catalog/index.ts";
import { coordinate } from "./coordinate/index.ts";
import { intention } from "./intention/index.ts";
import { kv } from "./kv/index.ts";
import { lock } from "./lock/index.ts";
import { session } from "./session/index.ts";
import { txn } from "./txn/index.ts";

export const areas = [kv, catalog, session, lock, txn, coordinate, intention, ca] as const;
