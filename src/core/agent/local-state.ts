// What an agent is: the services and checks of its node, which it owns and the catalog only copies.
// Every change is made here first, synchronously; `sync-plan.ts` tells what has to be sent to make
// the catalog agree.
//
// The idea: rows carry their own sync flags and deadlines, so that a host (Node, or a Durable
// Object) needs no more than a clock: call `tick` at `nextDeadlineMs`, send what the plan says,
// persist what `rows.subscribe` reports. This class runs no checks: whoever runs them calls
// `reportCheck`.

import { Deadlines } from "../lib/deadlines.ts";
import { ServiceError } from "../model/errors.ts";
import type { HealthCheck, NodeServiceDefinition } from "../model/types.ts";
import { Aliases } from "./aliases.ts";
import { keepStart, outputLimit } from "./checks/output.ts";
import { outputSyncDelayMs, reapAtMs, ttlExpiredOutput } from "./checks/schedule.ts";
import {
  checkType,
  runsProgram,
  type CheckDefinition,
  type CheckStatus,
  type ServiceDefinition,
} from "./definitions.ts";
import type { CheckEntry, LocalChange, Origin, ServiceEntry } from "./entries.ts";
import { aggregateStatus, aliasResult, type AggregatedStatus } from "./health.ts";
import type { AgentNode, AgentSettings } from "./node.ts";
import {
  definedCheck,
  filledService,
  filledServiceChecks,
  maintenanceCheck,
  maintenanceId,
} from "./registration.ts";
import { LocalRows } from "./rows.ts";
import { resolveSidecar } from "./sidecar.ts";

export interface RegisterOptions {
  origin: Origin;
  nowMs: number;
  /** Removes the service's checks that the definition does not contain. */
  replaceExistingChecks?: boolean;
}

/** What a check said before the agent restarted. */
export interface SavedCheck {
  status: CheckStatus;
  output: string;
  /** Null unless the check has a TTL. */
  ttlDeadlineMs: number | null;
}

/** What {@link LocalAgentState.tick} did that is worth a line in the log. */
export interface TickReport {
  /** Checks whose TTL ended. */
  expired: string[];
  /** Services that stayed critical for too long. */
  removed: string[];
}

const scriptsOff: Record<Origin, string> = {
  api:
    "Scripts are disabled on this agent from remote calls; " +
    "to enable, configure 'enable_script_checks' to true",
  file:
    "Scripts are disabled on this agent; to enable, configure " +
    "'enable_script_checks' or 'enable_local_script_checks' to true",
};

export class LocalAgentState {
  readonly rows = new LocalRows();
  readonly #startMs: number;
  /** When {@link LocalAgentState.tick} has something to do for a check, by its id. */
  readonly #deadlines = new Deadlines();
  #aliases = new Aliases();
  #node: AgentNode;
  #settings: AgentSettings;

  constructor(node: AgentNode, settings: AgentSettings, startMs: number) {
    this.#node = node;
    this.#settings = settings;
    this.#startMs = startMs;
    this.rows.subscribe((change) => this.#noteChange(change));
  }

  /** Deadlines and aliases follow the rows, so that nothing walks through all of them. */
  #noteChange({ type, id }: LocalChange): void {
    if (type === "service") return this.#aliases.serviceChanged(id);
    const entry = this.rows.checks.get(id);
    const deadlineMs = entry ? this.#deadlineMs(entry) : null;
    if (deadlineMs === null) this.#deadlines.delete(id);
    else this.#deadlines.set(id, deadlineMs);
    this.#aliases.checkChanged(id, entry, this.#node.name);
  }

  get node(): AgentNode {
    return this.#node;
  }

  get settings(): AgentSettings {
    return this.#settings;
  }

  /** Takes over a reloaded configuration. */
  configure(node: AgentNode, settings: AgentSettings): void {
    if (node.name !== this.#node.name) {
      // Which aliases look at this node depends on its name.
      this.#aliases = new Aliases();
      for (const [id, entry] of this.rows.checks) this.#aliases.checkChanged(id, entry, node.name);
    }
    this.#node = node;
    this.#settings = settings;
    this.rows.nodeInSync = false;
  }

  /** Registers a validated definition, and its sidecar. Throws ServiceError without any change. */
  registerService(definition: ServiceDefinition, options: RegisterOptions): void {
    this.#refuseScripts(definition.checks, options.origin);
    const service = filledService(definition.service);
    const others = Array.from(this.rows.services.values(), (entry) => entry.service);
    const parent = { ...definition, service };
    const sidecar = resolveSidecar(parent, others, this.#settings.sidecarPorts);
    if (sidecar !== null) this.#refuseScripts(sidecar.checks, options.origin);
    this.#putService(definition, service, null, options);
    if (sidecar !== null) {
      this.#putService(sidecar, filledService(sidecar.service), service.ID, options);
    }
    this.#refreshAliases(options.nowMs);
  }

  #putService(
    definition: ServiceDefinition,
    service: NodeServiceDefinition,
    sidecarOf: string | null,
    options: RegisterOptions,
  ): void {
    const { token } = definition;
    this.rows.putService({ service, definition, sidecarOf, token, origin: options.origin });
    const checks = filledServiceChecks(definition, service);
    if (options.replaceExistingChecks === true) {
      const kept = new Set(checks.map((check) => check.checkId));
      for (const { check, definition: run } of this.rows.checksOf(service.ID)) {
        if (run !== null && !kept.has(check.CheckID)) this.rows.drop("check", check.CheckID);
      }
    }
    for (const check of checks) this.#putCheck(check, service, true, options);
  }

  /** Registers a validated check definition. Throws ServiceError without any change. */
  registerCheck(definition: CheckDefinition, options: RegisterOptions): void {
    const { serviceId } = definition;
    const entry = serviceId === "" ? null : this.rows.services.get(serviceId);
    if (entry === undefined) {
      throw new ServiceError("invalid", `ServiceID "${serviceId}" does not exist`);
    }
    this.#refuseScripts([definition], options.origin);
    const checkId = definition.checkId || definition.name;
    const token = definition.token || (entry?.token ?? "");
    this.#putCheck({ ...definition, checkId, token }, entry?.service ?? null, false, options);
    this.#refreshAliases(options.nowMs);
  }

  #putCheck(
    definition: CheckDefinition,
    service: NodeServiceDefinition | null,
    ofService: boolean,
    { origin, nowMs }: RegisterOptions,
  ): void {
    const check = definedCheck(definition, this.#node.name, service);
    // Consul tells the type of those only that the API or a service brought.
    if (origin === "file" && !ofService) check.Type = "";
    const known = this.rows.checks.get(check.CheckID);
    if (known !== undefined) {
      // Registering again must not make a healthy service flap.
      check.Status = known.check.Status;
      check.Output = known.check.Output;
    }
    const ttlDeadlineMs = checkType(definition) === "ttl" ? nowMs + definition.ttlMs : null;
    const { token } = definition;
    this.#setCheck(check, { definition, ofService, token, origin, ttlDeadlineMs }, nowMs);
  }

  #setCheck(
    check: HealthCheck,
    row: Pick<CheckEntry, "definition" | "ofService" | "token" | "origin" | "ttlDeadlineMs">,
    nowMs: number,
  ): void {
    const known = this.rows.checks.get(check.CheckID);
    this.rows.putCheck({
      ...row,
      check,
      outputSyncAtMs: known?.outputSyncAtMs ?? null,
      criticalSinceMs: check.Status === "critical" ? (known?.criticalSinceMs ?? nowMs) : null,
    });
  }

  #refuseScripts(checks: readonly CheckDefinition[], origin: Origin): void {
    const { scripts } = this.#settings;
    const allowed = origin === "file" ? scripts.fromFile : scripts.fromApi;
    if (!allowed && checks.some(runsProgram)) throw new ServiceError("invalid", scriptsOff[origin]);
  }

  /**
   * Removes a service, its checks and its sidecar. False when there is none; throws for an empty
   * id.
   */
  deregisterService(id: string, nowMs: number): boolean {
    if (id === "") throw new ServiceError("invalid", "ServiceID missing");
    if (!this.rows.services.has(id)) return false;
    for (const { service, sidecarOf } of this.rows.services.values()) {
      if (service.ID === id || sidecarOf === id) this.#dropService(service.ID);
    }
    this.#refreshAliases(nowMs);
    return true;
  }

  #dropService(id: string): void {
    for (const { check } of this.rows.checksOf(id)) this.rows.drop("check", check.CheckID);
    this.rows.drop("service", id);
  }

  /** Removes a check. False when there is none; throws for an empty id. */
  deregisterCheck(id: string, nowMs: number): boolean {
    if (id === "") throw new ServiceError("invalid", "CheckID missing");
    if (!this.rows.checks.has(id)) return false;
    this.rows.drop("check", id);
    this.#refreshAliases(nowMs);
    return true;
  }

  /**
   * A client's word about a TTL check. Throws `invalid` when there is no TTL check with that id.
   */
  updateTtl(id: string, status: CheckStatus, output: string, nowMs: number): void {
    const entry = this.rows.checks.get(id);
    if (!entry?.definition || checkType(entry.definition) !== "ttl") {
      throw new ServiceError("invalid", `CheckID "${id}" does not have associated TTL`);
    }
    entry.ttlDeadlineMs = nowMs + entry.definition.ttlMs;
    const limit = outputLimit(entry.definition.outputBytesMax, this.#settings.outputBytesMax);
    const moved = this.#applyResult(id, status, keepStart(output, limit), nowMs);
    if (moved) this.#refreshAliases(nowMs);
    // The new deadline is worth keeping even when nothing else changed.
    else this.rows.announce({ type: "check", id });
  }

  /** The result of a run. Ignored when the check is gone. */
  reportCheck(id: string, status: CheckStatus, output: string, nowMs: number): void {
    if (this.#applyResult(id, status, output, nowMs)) this.#refreshAliases(nowMs);
  }

  /** Brings back what a check said before the agent restarted. Ignored when the check is gone. */
  restoreCheck(id: string, saved: SavedCheck, nowMs: number): void {
    const entry = this.rows.checks.get(id);
    if (entry === undefined) return;
    if (entry.ttlDeadlineMs !== null && saved.ttlDeadlineMs !== null) {
      entry.ttlDeadlineMs = saved.ttlDeadlineMs;
      this.rows.announce({ type: "check", id });
    }
    this.reportCheck(id, saved.status, saved.output, nowMs);
  }

  /** True when anything changed. */
  #applyResult(id: string, status: CheckStatus, output: string, nowMs: number): boolean {
    const entry = this.rows.checks.get(id);
    if (entry === undefined) return false;
    const { check } = entry;
    const kept = this.#settings.discardCheckOutput ? "" : output;
    const statusMoved = check.Status !== status;
    if (!statusMoved && check.Output === kept) return false;
    entry.check = { ...check, Status: status, Output: kept };
    if (statusMoved) entry.criticalSinceMs = status === "critical" ? nowMs : null;
    const { checkUpdateIntervalMs, random } = this.#settings;
    if (statusMoved || checkUpdateIntervalMs === 0) {
      entry.outputSyncAtMs = null;
      this.rows.markChanged(entry);
    } else if (entry.inSync && entry.outputSyncAtMs === null) {
      entry.outputSyncAtMs = nowMs + outputSyncDelayMs(checkUpdateIntervalMs, random);
    }
    this.rows.announce({ type: "check", id });
    return true;
  }

  /** Lets the aliases of this node say what the checks they stand for say now. */
  #refreshAliases(nowMs: number): void {
    // An alias of an alias needs one more round; a ring of aliases ends after as many rounds as
    // there are aliases.
    for (let round = 0; this.#aliases.due.size > 0 && round < this.#aliases.size; round++) {
      for (const id of this.rows.inOrder(this.#aliases.due)) this.#refreshAlias(id, nowMs);
    }
  }

  #refreshAlias(id: string, nowMs: number): void {
    this.#aliases.looked(id);
    const alias = this.rows.checks.get(id)?.definition;
    if (!alias) return;
    const { aliasService } = alias;
    const checks = this.rows.checksOf(...new Set(["", aliasService])).map(({ check }) => check);
    const target = { checks, serviceExists: this.rows.services.has(aliasService) };
    const { status, output } = aliasResult(alias, target);
    this.#applyResult(id, status, output, nowMs);
  }

  /** False for an unknown service. Enabling twice keeps the first reason. */
  serviceMaintenance(id: string, enable: boolean, reason: string, nowMs: number): boolean {
    const entry = this.rows.services.get(id);
    if (entry === undefined) return false;
    this.#maintain(entry, enable, reason, nowMs);
    return true;
  }

  nodeMaintenance(enable: boolean, reason: string, nowMs: number): void {
    this.#maintain(null, enable, reason, nowMs);
  }

  #maintain(entry: ServiceEntry | null, enable: boolean, reason: string, nowMs: number): void {
    const service = entry?.service ?? null;
    const id = maintenanceId(service);
    if (this.rows.checks.has(id) === enable) return;
    if (enable) {
      const check = maintenanceCheck(this.#node.name, service, reason);
      const row = {
        definition: null,
        ofService: false,
        origin: "api",
        ttlDeadlineMs: null,
      } as const;
      this.#setCheck(check, { ...row, token: entry?.token ?? "" }, nowMs);
    } else {
      this.rows.drop("check", id);
    }
    this.#refreshAliases(nowMs);
  }

  /** The checks that speak about a service: its own and the node's; null for an unknown service. */
  serviceHealth(id: string): { status: AggregatedStatus; checks: HealthCheck[] } | null {
    if (!this.rows.services.has(id)) return null;
    const checks = this.rows.checksOf(...new Set(["", id])).map(({ check }) => check);
    return { status: aggregateStatus(checks), checks };
  }

  /** Does what is due: TTLs that ended, outputs to be synced, services to be removed. */
  tick(nowMs: number): TickReport {
    const report: TickReport = { expired: [], removed: [] };
    const due = this.#deadlines.due(nowMs, Number.POSITIVE_INFINITY);
    for (const id of this.rows.inOrder(due)) {
      const entry = this.rows.checks.get(id);
      // One that was due before it may have taken it along.
      if (entry) this.#tickCheck(entry, nowMs, report);
    }
    return report;
  }

  #tickCheck(entry: CheckEntry, nowMs: number, report: TickReport): void {
    const id = entry.check.CheckID;
    if (entry.ttlDeadlineMs !== null && entry.ttlDeadlineMs <= nowMs) {
      entry.ttlDeadlineMs = null;
      report.expired.push(id);
      this.reportCheck(id, "critical", ttlExpiredOutput(entry.check.Output), nowMs);
    }
    if (entry.outputSyncAtMs !== null && entry.outputSyncAtMs <= nowMs) {
      entry.outputSyncAtMs = null;
      this.rows.markChanged(entry);
    }
    this.rows.announce({ type: "check", id });
    const reapMs = this.#reapAtMs(entry);
    if (reapMs === null || reapMs > nowMs) return;
    report.removed.push(entry.check.ServiceID);
    this.deregisterService(entry.check.ServiceID, nowMs);
  }

  /** When {@link tick} has something to do next; null when never. */
  nextDeadlineMs(): number | null {
    return this.#deadlines.earliestMs;
  }

  #deadlineMs(entry: CheckEntry): number | null {
    const { ttlDeadlineMs, outputSyncAtMs } = entry;
    const all = [ttlDeadlineMs, outputSyncAtMs, this.#reapAtMs(entry)];
    const set = all.filter((deadlineMs) => deadlineMs !== null);
    return set.length === 0 ? null : Math.min(...set);
  }

  #reapAtMs({ check, definition, criticalSinceMs }: CheckEntry): number | null {
    const afterMs = definition?.deregisterAfterMs ?? 0;
    if (criticalSinceMs === null || afterMs <= 0 || check.ServiceID === "") return null;
    return reapAtMs(criticalSinceMs, afterMs, this.#startMs);
  }
}
