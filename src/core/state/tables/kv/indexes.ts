// Indexes of the key-value store that clients see.

import type { TableIndex } from "../../meta.ts";

export const kvs: TableIndex = { name: "kvs" };
export const tombstones: TableIndex = { name: "tombstones" };
