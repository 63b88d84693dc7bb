// Query parameters that many routes share.

import type { Parameter, Parameters } from "./operation.ts";

const string = { kind: "string" } as const;
const presence = { kind: "presence" } as const;
const duration = "as Go writes durations (`1m30s`), or a number of seconds";

export const dc = {
  dc: { shape: string, description: "The datacenter that is asked; absent: the agent's own." },
} as const satisfies Parameters;

/** How old an answer may be. */
export const consistency = {
  stale: { shape: presence, description: "Any server may answer, from what it has." },
  consistent: {
    shape: presence,
    description: "The leader makes sure that it still leads before it answers.",
  },
  leader: { shape: presence, description: "The leader answers, which is the default." },
  cached: {
    shape: presence,
    description: "The agent may answer from what it follows, where the route can be cached.",
  },
  max_stale: {
    shape: string,
    description: `Any server may answer that heard from the leader within this time, ${duration}.`,
  },
} as const satisfies Parameters;

/** Waiting for something newer than an index. */
export const blocking = {
  index: {
    shape: { kind: "uint64" },
    description: "Answers once there is something newer than this, an X-Consul-Index.",
  },
  wait: {
    shape: string,
    description: `How long to wait for it, ${duration}; absent: 5m, at most 10m.`,
  },
} as const satisfies Parameters;

/** What every read through the servers understands. */
export const reading = { ...dc, ...consistency, ...blocking } as const satisfies Parameters;

export const filter = {
  filter: {
    shape: string,
    description: "An expression in Consul's filter language; what it does not select is left out.",
  },
} as const satisfies Parameters;

export const near = {
  near: {
    shape: string,
    description: "A node, or `_agent`: the nearest to it come first, by round-trip time.",
  },
} as const satisfies Parameters;

export const nodeMeta = {
  "node-meta": {
    shape: string,
    repeated: true,
    description: "`key:value`: only nodes with this metadata.",
  },
} as const satisfies Parameters;

/** What narrows and orders lists of nodes. */
export const listing = {
  ...reading,
  ...nodeMeta,
  ...filter,
  ...near,
} as const satisfies Parameters;

/** What narrows and orders lists of instances of a service. */
export const instances = {
  ...listing,
  tag: { shape: string, repeated: true, description: "Only instances with this tag." },
} as const satisfies Parameters;

export const compareAndSet = {
  cas: {
    shape: { kind: "uint64" },
    description: "Only if the ModifyIndex is still this one; 0: only if there is none yet.",
  },
} as const satisfies Parameters;

/** Every route understands it that answers JSON. */
export const pretty = {
  pretty: { shape: presence, description: "Indents the JSON of the answer." },
} as const satisfies Parameters;

/** {@link blocking} where nothing is waited for. */
export const idle = {
  index: { ...blocking.index, description: "Must be a number; nothing is waited for here." },
  wait: { ...blocking.wait, description: "Must be a duration; nothing is waited for here." },
} as const satisfies Parameters;

/** Reads that answer at once. */
export const answering = { ...dc, ...consistency, ...idle } as const satisfies Parameters;

/** Parameters that the document spells out once, by the names that it has for them. */
export const named: Readonly<Record<string, Parameter>> = {
  ...{ ...dc, ...consistency, ...blocking, ...filter, ...near, ...nodeMeta, ...compareAndSet },
  ...{ ...pretty, tag: instances.tag, idleIndex: idle.index, idleWait: idle.wait },
};

/** Of Consul Enterprise: whatever they say is refused, so they are not described. */
export const refused: readonly string[] = ["ns", "authmethod-ns"];
