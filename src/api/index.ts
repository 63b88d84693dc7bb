// The HTTP API: a table of contents. Each area is one file; what all endpoints have in common is `endpoint.ts`.

import { Hono } from "hono";
import type { Cluster } from "../ports/cluster.ts";
import type { LeafSource } from "../ports/leaf-source.ts";
import { aclArea } from "./acl/index.ts";
import { agentConnectArea } from "./agent-connect.ts";
import { caArea } from "./ca.ts";
import { catalogArea } from "./catalog.ts";
import { configArea } from "./config.ts";
import { coordinateArea } from "./coordinate.ts";
import { discoveryChainArea } from "./discovery-chain.ts";
import { decodedPath, gzipStream, mount, notFound, redirect } from "./endpoint.ts";
import type { Area, EndpointOptions } from "./endpoint.ts";
import { eventFireArea } from "./event.ts";
import { healthArea } from "./health.ts";
import { internalUiArea } from "./internal-ui.ts";
import { intentionArea } from "./intention.ts";
import { kvArea } from "./kv.ts";
import { openApiArea } from "./openapi/index.ts";
import { operatorArea } from "./operator.ts";
import { preparedQueryArea } from "./prepared-query.ts";
import { sessionArea } from "./session.ts";
import { snapshotArea } from "./snapshot/index.ts";
import { statusArea } from "./status.ts";
import { txnArea } from "./txn.ts";

/** Absent members are Consul's defaults. */
export interface ApiSettings {
  aclEnabled?: boolean;
  usesCache?: boolean;
  /** `/v1/coordinate` is answered; absent: yes. */
  coordinates?: boolean;
  defaultQueryTimeMs?: number;
  maxQueryTimeMs?: number;
  kvValueBytesMax?: number;
  txnBodyBytesMax?: number;
  sessionTtlMsMin?: number;
  translatesFrom?: string;
  refusesUnprintable?: boolean;
  /** Larger archives are not restored here; absent: any size. */
  snapshotBytesMax?: number;
}

export interface ApiDependencies {
  cluster: Cluster;
  /** Node of the agent that is asked: sessions are bound to it, and `near=_agent` means it. */
  nodeName: string;
  /** Areas that only some hosts have, such as `/v1/agent`. */
  areas?: readonly Area[];
  /** Keeps certificates of services; absent where there is no agent. */
  leaves?: LeafSource;
  /** Indent every JSON answer, as `-dev` does. */
  pretty?: boolean;
  /** Where `/` leads to; absent: there is no web UI. */
  uiPath?: string;
  /** Catalog and health answers may be this old unless a request says otherwise. */
  discoveryMaxStaleMs?: number;
  /** Zones in which services have names, each with a final dot; absent: Consul's default. */
  domains?: string[];
  /** What an agent's configuration says of requests; absent: Consul's defaults. */
  settings?: ApiSettings;
  /** Compression faster than the portable one. */
  gzip?: EndpointOptions["gzip"];
  /** Told of every answer that stays right for a while. */
  keep?: EndpointOptions["keep"];
  /** Told how long each request took. */
  timed?: EndpointOptions["timed"];
  /** In [0, 1), for the jitter of blocking queries. */
  random(): number;
  /** A random UUID in lower case. */
  uuid(): string;
  /** Told of what should never have been thrown. */
  onError(error: unknown): void;
}

export function createApi(dependencies: ApiDependencies): Hono {
  const { pretty = false, uiPath } = dependencies;
  const { gzip = gzipStream, keep, timed, onError, settings = {} } = dependencies;
  const { refusesUnprintable = true } = settings;
  const told = { ...(keep && { keep }), ...(timed && { timed }) };
  const options = { pretty, gzip, onError, refusesUnprintable, ...told };
  const app = new Hono({ getPath: decodedPath });
  if (uiPath === undefined) app.get("/", (context) => context.text("Consul Agent"));
  else app.all("/", (context) => redirect(context, uiPath));
  for (const area of apiAreas(dependencies)) mount(app, area, options);
  app.notFound(notFound);
  return app;
}

/** Every area in the order in which it is mounted; docs/coverage.md lists all of their endpoints. */
export function apiAreas(dependencies: ApiDependencies): Area[] {
  const { discoveryMaxStaleMs = 0, areas = [], leaves, settings = {} } = dependencies;
  const parts = { ...settings, ...dependencies, discoveryMaxStaleMs };
  const described = [
    kvArea(parts),
    sessionArea(parts),
    txnArea(parts),
    catalogArea(parts),
    healthArea(parts),
    coordinateArea(parts),
    preparedQueryArea(parts),
    configArea(parts),
    discoveryChainArea(parts),
    internalUiArea(parts),
    intentionArea(parts),
    caArea(parts),
    ...(leaves ? [agentConnectArea({ ...parts, leaves })] : []),
    statusArea(parts),
    operatorArea(parts),
    eventFireArea(parts),
    aclArea(parts),
    snapshotArea({ nowMs: Date.now, ...parts }),
    ...areas,
  ];
  return [...described, openApiArea(described)];
}
