// The reads of `/v1/config` and `/v1/discovery-chain`.

import { isConfigKind } from "../../../model/config-entry/schemas.ts";
import { invalidKind } from "../../../model/config-entry/decode.ts";
import { globalProxyName } from "../../../model/config-entry/types.ts";
import type { ConfigKind } from "../../../model/config-entry/types.ts";
import { ServiceError } from "../../../model/errors.ts";
import { encode } from "../../../model/schema.ts";
import type { PlainRead } from "../../read.ts";
import { list } from "../../rows.ts";
import type { View } from "../../state.ts";
import { mayReadService, requireRead } from "../../view.ts";
import type { Topic } from "../../watch.ts";
import { identityTopic, trustDomain } from "../cluster/identity.ts";
import { compileChain } from "./chain/compile.ts";
import { chainSchema } from "./chain/types.ts";
import {
  configIndex,
  configTopics,
  encodeConfigRow,
  entryOf,
  findRow,
  listRows,
} from "./entries.ts";
import type { ConfigRow } from "./entries.ts";
import { readSubject } from "./permissions.ts";
import { resolve } from "./resolve.ts";
import { watchedEntries } from "./watched-entries.ts";

const get: PlainRead<{ kind: string; name: string }> = {
  evaluate: ({ kind, name }, view) => {
    requireKind(kind);
    const subject = readSubject(kind, name);
    if (subject !== null) requireRead(view, "service", subject);
    const row = findRow(view, kind, name);
    return {
      index: view.meta.index(configIndex),
      body: row ? encodeConfigRow(row) : null,
      topics: [configTopics.entry(kind, name)],
    };
  },
};

/** `kind` "": all of them. */
const all: PlainRead<{ kind: string }> = {
  evaluate: ({ kind }, view) => {
    if (kind !== "") requireKind(kind);
    const rows = listRows(view, kind).filter((row) => mayReadEntry(view, row));
    return {
      index: view.meta.index(configIndex),
      body: list(rows.map(encodeConfigRow)),
      topics: [kind === "" ? configTopics.all : configTopics.ofKind(kind)],
    };
  },
};

function mayReadEntry(view: View, row: ConfigRow): boolean {
  if (view.authorizer.unrestricted) return true;
  const subject = readSubject(row.kind as ConfigKind, entryOf(row).Name);
  return subject === null || mayReadService(view, subject);
}

function requireKind(kind: string): asserts kind is ConfigKind {
  if (!isConfigKind(kind)) throw new ServiceError("invalid", invalidKind(kind));
}

export interface ChainArguments {
  service: string;
  /** For which the chain is compiled; absent: this one. */
  datacenter?: string;
  /** Overrides of what the entries say. */
  meshGateway?: string;
  protocol?: string;
  connectTimeoutNs?: number;
}

/** The chain of a service, from whatever entries there are. */
const chain: PlainRead<ChainArguments> = {
  evaluate: (args, view) => {
    requireRead(view, "service", args.service);
    const domain = trustDomain(view);
    if (domain === null) throw new ServiceError("invalid", "no cluster ca config setup");
    // The defaults of all proxies are always looked at, as Consul does.
    const proxies = configTopics.entry("proxy-defaults", globalProxyName);
    const topics = new Set<Topic>([identityTopic, proxies]);
    const compiled = compileChain(
      {
        service: args.service,
        datacenter: args.datacenter ?? view.datacenter,
        usedIn: view.datacenter,
        trustDomain: domain,
        meshGateway: args.meshGateway ?? "",
        protocol: args.protocol ?? "",
        connectTimeoutNs: args.connectTimeoutNs ?? 0,
      },
      watchedEntries(view, topics),
    );
    const body = `{"Chain":${encode(chainSchema, compiled)}}`;
    return { index: view.meta.index(configIndex), body, topics: [...topics] };
  },
};

export const configReads = {
  "config.get": get,
  "config.list": all,
  "config.resolve": resolve,
  "discovery-chain.get": chain,
};
