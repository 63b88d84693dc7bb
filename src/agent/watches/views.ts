// What can be watched: where each view is, which parameters it takes, and its JSON as Consul orders it, with all the
// members that programs know.

import { pathEscape, pathOf } from "../../core/lib/url-path.ts";
import { unsaidDefinition } from "../../core/model/schemas.ts";

export type ViewQuery = Readonly<Record<string, string | readonly string[] | undefined>>;

/** What was answered, as far as views look at it. */
export interface ViewAnswer {
  status: number;
  json<Value>(): Value;
}

/** A watch that nobody can make; the message is Consul's. */
export class WatchError extends Error {
  override name = "WatchError";
}

export interface View {
  path: string;
  query: ViewQuery;
  /** A view of what is not there is null. */
  mayBeAbsent: boolean;
  /** By what a reader waits for the next one. */
  waitsBy: "index" | "hash";
  data(answer: ViewAnswer): unknown;
}

type Parameters = Readonly<Record<string, string | readonly string[]>>;

interface ViewType {
  /** What must be given, and what Consul says otherwise. */
  needs?: { name: string; otherwise: string };
  takes: readonly string[];
  view(
    parameters: Record<string, string> & { tag?: readonly string[] },
  ): Partial<View> & { path: string };
}

const types: Readonly<Record<string, ViewType>> = {
  key: {
    needs: { name: "key", otherwise: "Must specify a single key to watch" },
    takes: ["key"],
    view: ({ key = "" }) => ({
      path: `/v1/kv/${pathOf(key)}`,
      mayBeAbsent: true,
      data: (answer) => pairsOf(answer)?.[0] ?? null,
    }),
  },
  keyprefix: {
    needs: { name: "prefix", otherwise: "Must specify a single prefix to watch" },
    takes: ["prefix"],
    view: ({ prefix = "" }) => ({
      path: `/v1/kv/${pathOf(prefix)}`,
      query: { recurse: "" },
      mayBeAbsent: true,
      data: pairsOf,
    }),
  },
  services: { takes: [], view: () => ({ path: "/v1/catalog/services" }) },
  nodes: { takes: [], view: () => ({ path: "/v1/catalog/nodes" }) },
  service: {
    needs: { name: "service", otherwise: "Must specify a single service to watch" },
    takes: ["service", "tag", "passingonly"],
    view: ({ service = "", tag, passingonly }) => ({
      path: `/v1/health/service/${pathEscape(service)}`,
      query: { ...(tag && { tag }), ...(passingonly === "true" && { passing: "1" }) },
      data: (answer) => answer.json<Instance[]>().map(wholeInstance),
    }),
  },
  checks: {
    takes: ["service", "state"],
    view: ({ service, state = "any" }) => ({
      path:
        service === undefined
          ? `/v1/health/state/${pathEscape(state)}`
          : `/v1/health/checks/${pathEscape(service)}`,
      data: (answer) => answer.json<Check[]>().map(wholeCheck),
    }),
  },
  event: {
    takes: ["name"],
    view: ({ name }) => ({
      path: "/v1/event/list",
      query: name === undefined ? {} : { name },
    }),
  },
};

const agentTypes: Readonly<Record<string, ViewType>> = {
  ...types,
  agent_service: {
    needs: { name: "service_id", otherwise: "Must specify a single service to watch" },
    takes: ["service_id"],
    view: ({ service_id: id = "" }) => ({
      path: `/v1/agent/service/${pathEscape(id)}`,
      waitsBy: "hash",
      mayBeAbsent: true,
      data: (answer) => (answer.status === 404 ? null : answer.json()),
    }),
  },
};

const elsewhere = ["connect_roots", "connect_leaf", "connect_proxy_config", "agent_service"];

/** Throws WatchError in Consul's words. */
export function viewFrom(type: string, parameters: Parameters): View {
  if (elsewhere.includes(type)) {
    throw new WatchError(`Type ${type} is not supported in the CLI tool`);
  }
  return made(types, type, parameters);
}

/** What an agent's configuration may watch. Throws WatchError in Consul's words. */
export function agentViewFrom(type: string, parameters: Parameters): View {
  return made(agentTypes, type, parameters);
}

function made(all: typeof types, type: string, parameters: Parameters): View {
  const known = Object.hasOwn(all, type) ? all[type] : undefined;
  if (!known) throw new WatchError(`Unsupported watch type: ${type}`);
  const { needs, takes, view } = known;
  if (needs && parameters[needs.name] === undefined) throw new WatchError(needs.otherwise);
  if (type === "checks" && parameters.service !== undefined && parameters.state !== undefined) {
    throw new WatchError("Cannot specify service and state");
  }
  const invalid = Object.keys(parameters).filter((name) => !takes.includes(name));
  if (invalid.length > 0) throw new WatchError(`Invalid parameters: [${invalid.join(" ")}]`);
  const whole = {
    query: {},
    mayBeAbsent: false,
    waitsBy: "index" as const,
    data: (answer: ViewAnswer): unknown => answer.json(),
  };
  return { ...whole, ...view(parameters as Record<string, string>) };
}

interface Pair {
  Key: string;
  CreateIndex: number;
  ModifyIndex: number;
  LockIndex: number;
  Flags: number;
  Value: string | null;
  Session?: string;
}

function pairsOf(answer: ViewAnswer): Pair[] | null {
  if (answer.status === 404) return null;
  return answer
    .json<Pair[]>()
    .map(({ Key, CreateIndex, ModifyIndex, LockIndex, Flags, Value, Session = "" }) => {
      const indexes = { CreateIndex, ModifyIndex, LockIndex };
      return { Key, ...indexes, Flags, Value, Session };
    });
}

interface Check {
  Definition?: Record<string, unknown>;
}

function wholeCheck(check: Check): Check {
  return { ...check, Definition: { ...unsaidDefinition, ...check.Definition } };
}

interface Instance {
  Node: Record<string, unknown>;
  Service: Record<string, unknown>;
  Checks: Check[];
}

const serviceMembers = [
  ...["Kind", "ID", "Service", "Tags", "Meta", "Port", "Address", "TaggedAddresses", "Weights"],
  ...["EnableTagOverride", "CreateIndex", "ModifyIndex", "Proxy", "Connect"],
];

function wholeInstance({ Node, Service: service, Checks }: Instance): Instance {
  const members = serviceMembers.filter((name) => service[name] !== undefined);
  const ordered = Object.fromEntries(members.map((name) => [name, service[name]]));
  return { Node, Service: ordered, Checks: Checks.map(wholeCheck) };
}
