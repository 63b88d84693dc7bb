// Prepared queries that find nothing here: other datacenters are asked, one after the other, the nearest that the query
// wants first, then those it lists (Consul semantics §10).

import { ServiceError } from "../../src/core/model/errors.ts";
import type { QueryElsewhere } from "../../src/core/model/prepared-query.ts";
import type { Evaluated } from "../../src/core/state/machine.ts";
import { tokenOf } from "../../src/link/cluster.ts";
import type { ReadAnswer, ReadRequest } from "../../src/link/protocol.ts";
import type { OtherDatacenters } from "./other-datacenters.ts";

export interface QueryFailoverParts {
  datacenters: Pick<OtherDatacenters, "ask" | "names">;
  log(level: "info" | "warn", line: string): void;
}

/** Names of unknown datacenters that are told of at most. */
const toldMax = 100;
/** How the answer of a query ends, whoever executed it. */
const noFailovers = '"Failovers":0}';

export class QueryFailover {
  readonly #parts: QueryFailoverParts;
  readonly #told = new Set<string>();

  constructor(parts: QueryFailoverParts) {
    this.#parts = parts;
  }

  /** The answer, or what another datacenter answers instead. Rejects only when broken. */
  async complete(request: ReadRequest, evaluated: Evaluated): Promise<Evaluated> {
    const { elsewhere } = evaluated;
    if (!elsewhere?.isDue) return evaluated;
    let { body } = evaluated;
    let failovers = 0;
    for (const dc of await this.#targets(elsewhere)) {
      failovers += 1;
      const answered = await this.#ask(dc, request, elsewhere.query);
      if (answered === null) continue;
      body = answered;
      if ((JSON.parse(body) as { Nodes: unknown[] }).Nodes.length > 0) break;
    }
    return { ...evaluated, body: body && withFailovers(body, failovers) };
  }

  async #targets({ failover }: QueryElsewhere): Promise<string[]> {
    const [, ...others] = await this.#parts.datacenters.names();
    const listed = (failover.Datacenters ?? []).filter((dc) => {
      if (others.includes(dc)) return true;
      this.#unknown(dc);
      return false;
    });
    return [...new Set([...others.slice(0, failover.NearestN), ...listed])];
  }

  /** Queries are executed all the time: a name that is wrong is told of once. */
  #unknown(dc: string): void {
    if (this.#told.has(dc) || this.#told.size >= toldMax) return;
    this.#told.add(dc);
    this.#parts.log("info", `skips unknown datacenter ${JSON.stringify(dc)} in prepared query`);
  }

  /** Null when it cannot be asked. */
  async #ask(dc: string, request: ReadRequest, query: string): Promise<string | null> {
    const { seed = 0, limit, connect } = request.args;
    const args = {
      ...{ query, seed },
      ...(limit !== undefined && { limit }),
      ...(connect !== undefined && { connect }),
    };
    const { consistency } = request;
    const asked = { id: 0, read: "query.execute-for", args, dc, ...tokenOf(request) };
    try {
      const answer = await this.#parts.datacenters.ask({
        ...asked,
        ...(consistency && { consistency }),
      });
      return (answer as ReadAnswer).body;
    } catch (failure) {
      if (!(failure instanceof ServiceError)) throw failure;
      const line = `failed to execute a prepared query in datacenter ${dc}: ${failure.message}`;
      this.#parts.log("warn", line);
      return null;
    }
  }
}

function withFailovers(body: string, failovers: number): string {
  return `${body.slice(0, -noFailovers.length)}"Failovers":${failovers}}`;
}
