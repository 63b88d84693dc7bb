// The catalog: nodes, the service instances on them, the checks that say how they are, and the index of each
// service. Whoever hangs on a node or a check listens for `events.ts`.

import { deregistrationSchema, registrationSchema } from "../../../model/schemas.ts";
import type { Deregistration, Registration } from "../../../model/types.ts";
import { command, defineArea } from "../../area.ts";
import { addColumns } from "../../migration.ts";
import { reaction } from "../../state.ts";
import { configChanged } from "../config/events.ts";
import { catalogArchive } from "./archive.ts";
import { admitDeregistration, admitRegistration } from "./admission.ts";
import { catalogReads } from "./catalog-reads.ts";
import { checkTable } from "./check-rows.ts";
import { remapGateway } from "./gateway-mapping.ts";
import { gatewayTable } from "./gateway-rows.ts";
import { healthReads } from "./health-reads.ts";
import { nodeTable } from "./node-rows.ts";
import { deregister, register } from "./registration.ts";
import { serviceIndexTable } from "./service-index.ts";
import { serviceTable } from "./service-rows.ts";
import { usage } from "./usage.ts";

export const catalog = defineArea({
  name: "catalog",
  archive: catalogArchive,
  tables: [nodeTable, serviceTable, serviceIndexTable, checkTable, gatewayTable],
  commands: {
    "catalog.register": command<{ registration: Registration }, true>({
      shape: { registration: { type: registrationSchema } },
      admit: admitRegistration,
      guarded: true,
      apply: (change, { registration }) => (register(change, registration), true),
    }),
    "catalog.deregister": command<{ deregistration: Deregistration }, true>({
      shape: { deregistration: { type: deregistrationSchema } },
      admit: admitDeregistration,
      apply: (change, { deregistration }) => (deregister(change, deregistration), true),
    }),
  },
  reads: { ...catalogReads, ...healthReads, "catalog.usage": usage },
  reactions: [reaction(configChanged, remapGateway)],
  migrations: [
    (sql) => {
      addColumns(sql, nodeTable, ["address_key"]);
      addColumns(sql, serviceTable, ["address_key"]);
    },
  ],
});
