// What the resolver has to be told. It is a synchronous generator: it yields a need, its host finds the answer
// wherever it lives (a link, a stub, a cache) and resumes it. So the resolver knows no I/O and the edge and the agent
// share it.

import type { CheckServiceNode, Node } from "../model/types.ts";
import type { ServiceWay } from "./name.ts";
import type { Answer } from "./records.ts";

export type Need =
  | { need: "node"; node: string; datacenter: string }
  /** Instances with their node and checks; `tag` "" for all of them. */
  | { need: "service"; service: string; tag: string; datacenter: string; by: ServiceWay }
  /** What a prepared query finds; `seed` draws the order that distance does not decide, `ip` is the client's. */
  | { need: "query"; query: string; datacenter: string; ip: string; seed: number }
  /** Name of the node with this address, or else of a service. */
  | { need: "reverse"; address: string }
  /** Addresses of a host outside the zones: records of type A, or none without a recursor. */
  | { need: "host"; name: string }
  /** What a recursor answers to the message as it came: asked only when there is one, for names that are not ours. */
  | { need: "recursion" };

export interface ReverseName {
  node?: string;
  service?: string;
}

/** A prepared query's answer. */
export interface ExecutedQuery {
  service: string;
  /** Of its answers, as Go writes durations; "" for the service's own. */
  ttl: string;
  datacenter: string;
  /** In the order in which they are to be answered. */
  instances: CheckServiceNode[];
}

/**
 * `unreachable`: nobody could be asked, which is SERVFAIL. `absent`: no such datacenter or query, which is NXDOMAIN.
 */
export type Found =
  | { node: Node | null }
  | { instances: CheckServiceNode[] }
  | { executed: ExecutedQuery }
  | { reverse: ReverseName | null }
  | { records: Answer["answers"] }
  | { message: Uint8Array }
  | { failure: "absent" | "unreachable" };

export type Resolution = Generator<Need, Answer, Found>;
