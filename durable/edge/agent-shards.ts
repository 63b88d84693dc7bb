// The EdgeAgents of a datacenter as one: which of them keeps a service or a check. A service is where its id says
// (topology.ts), unless it was registered when there were fewer: then it goes on living in the first. A check is where
// its service is; those of the node are in the first.

import { BoundedMap } from "../../src/core/lib/bounded-map.ts";
import { type ErrorData, ServiceError } from "../../src/core/model/errors.ts";
import type { JsonValue } from "../../src/core/model/json.ts";
import { fewAtOnce } from "../platform/few-at-once.ts";
import { jsonOf } from "../platform/platform.ts";
import { edgeAgentCount, edgeAgentObject, edgeAgentOf } from "../platform/topology.ts";
import type { ClusterAccess } from "../datacenters/server-calls.ts";

const callTimeoutMs = 30_000;
/** Memory for where checks were found, some 5,000 of them. */
const placesBytesMax = 1_000_000;

interface CallAnswer {
  value?: JsonValue;
  error?: ErrorData;
}

export class AgentShards {
  readonly #access: ClusterAccess;
  readonly #datacenter: string;
  readonly count: number;
  readonly #checkPlaces = new BoundedMap<number>(placesBytesMax);

  constructor(access: ClusterAccess) {
    this.#access = access;
    this.#datacenter = access.settings.DEFAULT_DC;
    this.count = edgeAgentCount(access.settings, this.#datacenter);
  }

  /** Calls one of them. Rejects with ServiceError. */
  async call<Value>(shard: number, method: string, ...args: JsonValue[]): Promise<Value> {
    const answer = await this.#access.objects.call(
      edgeAgentObject(this.#datacenter, shard),
      "/call",
      JSON.stringify({ method, args }),
      callTimeoutMs,
    );
    const { value, error } = jsonOf<CallAnswer>(answer);
    if (error) throw new ServiceError(error.code, error.message);
    return value as Value;
  }

  /** Calls all of them; what they answered, one after the other. */
  async all<Row>(method: string, ...args: JsonValue[]): Promise<Row[]> {
    const shards = Array.from({ length: this.count }, (_, shard) => shard);
    return (await fewAtOnce(shards, (shard) => this.call<Row[]>(shard, method, ...args))).flat();
  }

  /** Where a service is, or is to be registered. */
  async ofService(id: string): Promise<number> {
    const home = edgeAgentOf(id, this.count);
    if (home === 0 || (await this.call<boolean>(home, "hasService", id))) return home;
    return (await this.call<boolean>(0, "hasService", id)) ? 0 : home;
  }

  /** Calls the one that has a check; where it was found last, without asking whether it still is there. */
  async callAtCheck(id: string, method: string, ...args: JsonValue[]): Promise<void> {
    const known = this.#checkPlaces.get(id);
    try {
      await this.call(known ?? (await this.ofCheck(id)), method, ...args);
    } catch (failure) {
      if (known === undefined || !(failure instanceof ServiceError)) throw failure;
      this.#checkPlaces.delete(id);
      await this.call(await this.ofCheck(id), method, ...args);
    }
  }

  /** Where a check is; the first one for a check that is nowhere. */
  async ofCheck(id: string): Promise<number> {
    if (this.count === 1) return 0;
    const [first = 0, ...others] = this.#likely(id);
    if (await this.call<boolean>(first, "hasCheck", id)) return this.#remember(id, first);
    const has = await fewAtOnce(others, (shard) => this.call<boolean>(shard, "hasCheck", id));
    const found = others[has.indexOf(true)];
    return found === undefined ? 0 : this.#remember(id, found);
  }

  #remember(id: string, shard: number): number {
    this.#checkPlaces.set(id, shard, 0);
    return shard;
  }

  /** Every shard, the likeliest first: checks that nobody named are called after their service. */
  #likely(id: string): number[] {
    const [, serviceId] = /^service:(.+?)(?::\d+)?$/.exec(id) ?? [];
    const guess = serviceId === undefined ? 0 : edgeAgentOf(serviceId, this.count);
    const shards = Array.from({ length: this.count }, (_, shard) => shard);
    return [guess, ...shards.filter((shard) => shard !== guess)];
  }
}
