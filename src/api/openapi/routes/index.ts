// All descriptions: a table of contents, beside that of the areas (`src/api/index.ts`).

import { aclRoutes } from "./acl.ts";
import { agentRoutes } from "./agent.ts";
import { agentConnectRoutes } from "./agent-connect.ts";
import { caRoutes } from "./ca.ts";
import { catalogRoutes } from "./catalog.ts";
import { configRoutes } from "./config.ts";
import { deploymentKeyRoutes } from "./deployment-keys.ts";
import { deploymentRoutes } from "./deployment.ts";
import { coordinateRoutes } from "./coordinate.ts";
import { discoveryChainRoutes } from "./discovery-chain.ts";
import { eventFireRoutes } from "./event.ts";
import { healthRoutes } from "./health.ts";
import { intentionRoutes } from "./intention.ts";
import { internalUiRoutes } from "./internal-ui.ts";
import { kvRoutes } from "./kv.ts";
import { openApiRoutes } from "./openapi.ts";
import { operatorRoutes } from "./operator.ts";
import { preparedQueryRoutes } from "./prepared-query.ts";
import { sessionRoutes } from "./session.ts";
import { snapshotRoutes } from "./snapshot.ts";
import { statusRoutes } from "./status.ts";
import { txnRoutes } from "./txn.ts";

export const routes = {
  ...kvRoutes,
  ...sessionRoutes,
  ...txnRoutes,
  ...catalogRoutes,
  ...healthRoutes,
  ...coordinateRoutes,
  ...preparedQueryRoutes,
  ...configRoutes,
  ...discoveryChainRoutes,
  ...internalUiRoutes,
  ...intentionRoutes,
  ...caRoutes,
  ...agentConnectRoutes,
  ...snapshotRoutes,
  ...statusRoutes,
  ...operatorRoutes,
  ...deploymentRoutes,
  ...deploymentKeyRoutes,
  ...eventFireRoutes,
  ...aclRoutes,
  ...agentRoutes,
  ...openApiRoutes,
} as const;

/** What is known of every route to the compiler. */
export type DescribedRoutes = typeof routes;
