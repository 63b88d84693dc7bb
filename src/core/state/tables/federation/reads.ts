// Servers of other datacenters as they were last heard of, for when none of them can be asked.

import type { PlainRead } from "../../read.ts";
import { joinedDatacenters } from "./rows.ts";

const servers: PlainRead<Record<string, never>> = {
  evaluate: (_args, view) => {
    const { authorizer } = view;
    const shown = joinedDatacenters(view).map(({ servers: all, ...datacenter }) => ({
      ...datacenter,
      servers: all.filter(
        ({ name }) => authorizer.unrestricted || authorizer.allows("node", name, "read"),
      ),
    }));
    return { index: 1, body: JSON.stringify(shown), topics: [] };
  },
};

export const federationReads = { "federation.servers": servers };
