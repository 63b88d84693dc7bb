// What is true of the cluster as a whole.

import { text } from "../../../model/schema.ts";
import { command, defineArea } from "../../area.ts";
import { identify, identityTable, requireUuid } from "./identity.ts";

export const cluster = defineArea({
  name: "cluster",
  isLasting: true,
  tables: [identityTable],
  commands: {
    /** Proposed by a leader that finds no id; answers the id that counts. */
    "cluster.identify": command<{ id: string }, string>({
      shape: { id: text },
      admit: (given) => (requireUuid(given.id), given),
      apply: (change, { id }) => identify(change, id),
    }),
  },
  reads: {},
});
