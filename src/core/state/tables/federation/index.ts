// Which other datacenters there are: what the leaders of servers of one's own tell each other (durable/datacenters).
// A restored archive says nothing of it.

import { type JoinedDatacenter, joinedDatacenterSchema } from "../../../model/datacenter.ts";
import { text } from "../../../model/schema.ts";
import { admitAll, command, defineArea } from "../../area.ts";
import { federationReads } from "./reads.ts";
import { datacenterTable, forget, learn } from "./rows.ts";

export const federation = defineArea({
  name: "federation",
  isLasting: true,
  tables: [datacenterTable],
  commands: {
    /** What is older than what is known changes nothing. */
    "federation.learn": command<{ datacenters: JoinedDatacenter[] }, true>({
      shape: { datacenters: { type: { kind: "list", item: joinedDatacenterSchema } } },
      admit: admitAll,
      apply: (change, { datacenters }) => {
        for (const one of datacenters) learn(change, one);
        return true;
      },
    }),
    "federation.forget": command<{ name: string }, true>({
      shape: { name: text },
      admit: admitAll,
      apply: (change, { name }) => (forget(change, name), true),
    }),
  },
  reads: federationReads,
});
