// Overviews for dashboards: reads over the catalog, without anything of their own.

import { defineArea } from "../../area.ts";
import { node, nodes } from "./nodes.ts";
import { gatewayServiceNodes, services } from "./services.ts";

export const ui = defineArea({
  name: "ui",
  tables: [],
  commands: {},
  reads: {
    "ui.nodes": nodes,
    "ui.node": node,
    "ui.services": services,
    "ui.gateway-services-nodes": gatewayServiceNodes,
  },
});
