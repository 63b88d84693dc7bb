// What every agent answers about its own services and checks, wherever it runs: the synchronous
// half of the LocalAgent port. The host agent and EdgeAgent put their clock, their storage and
// their network around it.

import { ServiceError } from "../model/errors.ts";
import type { HealthCheck, NodeService, NodeServiceDefinition } from "../model/types.ts";
import { serviceText } from "./canonical.ts";
import { hashText } from "./content-hash.ts";
import { decodeCheck, decodeService } from "./decode.ts";
import type { CheckStatus } from "./definitions.ts";
import type { AggregatedStatus } from "./health.ts";
import type { LocalAgentState } from "./local-state.ts";
import { validateCheck, validateService } from "./validate.ts";

export interface LocalServiceHealth {
  status: AggregatedStatus;
  service: NodeService;
  checks: HealthCheck[];
}

export class LocalServices {
  readonly state: LocalAgentState;
  readonly #nowMs: () => number;

  constructor(state: LocalAgentState, nowMs: () => number) {
    this.state = state;
    this.#nowMs = nowMs;
  }

  services(): NodeService[] {
    return Array.from(this.state.rows.services.values(), ({ service }) => unindexed(service));
  }

  service(id: string): { service: NodeService; hash: string } | null {
    const service = this.state.rows.services.get(id)?.service;
    return service ? { service: unindexed(service), hash: hashText(serviceText(service)) } : null;
  }

  checks(): HealthCheck[] {
    return this.state.rows.checkRows();
  }

  serviceHealth(id: string): LocalServiceHealth | null {
    const health = this.state.serviceHealth(id);
    const service = this.state.rows.services.get(id)?.service;
    return health && service ? { ...health, service: unindexed(service) } : null;
  }

  serviceHealthByName(name: string): LocalServiceHealth[] {
    return this.services()
      .filter(({ Service }) => Service === name)
      .flatMap(({ ID }) => this.serviceHealth(ID) ?? []);
  }

  /** Throws ServiceError without any change. */
  registerService(body: string, options: { token?: string; replaceExistingChecks: boolean }): void {
    const definition = decodeService(body);
    validateService(definition);
    definition.token ||= options.token ?? "";
    this.state.registerService(definition, {
      origin: "api",
      nowMs: this.#nowMs(),
      replaceExistingChecks: options.replaceExistingChecks,
    });
  }

  deregisterService(id: string): void {
    this.state.deregisterService(id, this.#nowMs());
  }

  /** Throws ServiceError without any change. */
  registerCheck(body: string, options: { token?: string }): void {
    const definition = decodeCheck(body);
    validateCheck(definition);
    definition.token ||= options.token ?? "";
    this.state.registerCheck(definition, { origin: "api", nowMs: this.#nowMs() });
  }

  deregisterCheck(id: string): void {
    this.state.deregisterCheck(id, this.#nowMs());
  }

  updateCheck(id: string, status: CheckStatus, output: string): void {
    this.state.updateTtl(id, status, output, this.#nowMs());
  }

  serviceMaintenance(id: string, enable: boolean, reason: string): void {
    if (this.state.serviceMaintenance(id, enable, reason, this.#nowMs())) return;
    throw new ServiceError("not-found", `No service registered with ID "${id}"`);
  }

  nodeMaintenance(enable: boolean, reason: string): void {
    this.state.nodeMaintenance(enable, reason, this.#nowMs());
  }
}

/** Only the catalog knows the indexes of a service. */
function unindexed(service: NodeServiceDefinition): NodeService {
  return { ...service, CreateIndex: 0, ModifyIndex: 0 };
}
