// Runs the checks of an agent. It looks at the local state, not at calls: after every change
// `reconcile` starts what is new, stops what is gone and restarts what is defined differently.
// TTLs and other deadlines are the state's own affair (`local-clock.ts`).

import type { Cluster } from "../../ports/cluster.ts";
import { outputLimit } from "../../core/agent/checks/output.ts";
import { firstRunDelayMs } from "../../core/agent/checks/schedule.ts";
import { ThresholdCounter } from "../../core/agent/checks/thresholds.ts";
import {
  checkType,
  effectiveIntervalMs,
  type CheckDefinition,
  type CheckType,
} from "../../core/agent/definitions.ts";
import { isLocalAlias } from "../../core/agent/health.ts";
import type { LocalAgentState } from "../../core/agent/local-state.ts";
import type { AgentLog } from "../log.ts";
import type { CheckTls } from "../tls/options.ts";
import { followAlias } from "./alias.ts";
import { dockerProbe } from "./docker.ts";
import { grpcProbe } from "./grpc.ts";
import { h2pingProbe } from "./h2ping.ts";
import { httpProbe } from "./http.ts";
import type { Probe, ProbeResult } from "./probe.ts";
import { scriptProbe } from "./script.ts";
import { tcpProbe } from "./tcp.ts";
import { udpProbe } from "./udp.ts";

/** Calls `run` once after `delayMs`; returns what cancels it. Replaced in tests. */
export type Delay = (delayMs: number, run: () => void) => () => void;

const systemDelay: Delay = (delayMs, run) => {
  const timer = setTimeout(run, delayMs);
  return () => clearTimeout(timer);
};

export interface RunnerOptions {
  log?: Pick<AgentLog, "warn">;
  delay?: Delay;
  /** What HTTPS checks show and believe; null: nothing, and whom the system believes. */
  tls?: () => CheckTls | null;
}

type ProbeMaker = (
  check: CheckDefinition,
  outputBytesMax: number,
  tls: () => CheckTls | null,
) => Probe;

/** How each type is run; the others are not: TTLs are told, aliases follow. */
const probes: Partial<Record<CheckType, ProbeMaker>> = {
  http: httpProbe,
  tcp: (check) => tcpProbe(check),
  udp: (check) => udpProbe(check),
  h2ping: (check) => h2pingProbe(check),
  script: scriptProbe,
  grpc: (check) => grpcProbe(check),
  docker: (check, outputBytesMax) => dockerProbe(check, outputBytesMax),
};

interface Running {
  definition: CheckDefinition;
  stop: AbortController;
}

export class CheckRunner {
  readonly #state: LocalAgentState;
  readonly #cluster: Cluster;
  readonly #log: Pick<AgentLog, "warn"> | null;
  readonly #delay: Delay;
  readonly #tls: () => CheckTls | null;
  readonly #running = new Map<string, Running>();
  readonly #unsubscribe: () => void;
  #reconciling = false;
  #stopped = false;

  /** Starts at once. `cluster` is for aliases of other nodes. */
  constructor(state: LocalAgentState, cluster: Cluster, options: RunnerOptions = {}) {
    this.#state = state;
    this.#cluster = cluster;
    this.#log = options.log ?? null;
    this.#delay = options.delay ?? systemDelay;
    this.#tls = options.tls ?? (() => null);
    this.#unsubscribe = state.rows.subscribe(() => this.#scheduleReconcile());
    this.reconcile();
  }

  /** Ends every check and timer; nothing is reported afterwards. */
  stop(): void {
    this.#stopped = true;
    this.#unsubscribe();
    for (const { stop } of this.#running.values()) stop.abort();
    this.#running.clear();
  }

  /** One registration changes several rows: look once when all of them have changed. */
  #scheduleReconcile(): void {
    if (this.#reconciling) return;
    this.#reconciling = true;
    queueMicrotask(() => {
      this.#reconciling = false;
      this.reconcile();
    });
  }

  /** Brings what runs in line with the state. */
  reconcile(): void {
    if (this.#stopped) return;
    const { checks } = this.#state.rows;
    for (const [id, { definition, stop }] of this.#running) {
      if (checks.get(id)?.definition === definition) continue;
      stop.abort();
      this.#running.delete(id);
    }
    for (const [id, { definition }] of checks) {
      if (definition !== null && !this.#running.has(id)) this.#start(id, definition);
    }
  }

  #start(id: string, definition: CheckDefinition): void {
    const stop = new AbortController();
    this.#running.set(id, { definition, stop });
    const type = checkType(definition);
    if (type === "alias" && !isLocalAlias(definition, this.#state.node.name)) {
      const report = (result: ProbeResult): void => this.#report(id, result, stop.signal);
      void followAlias(definition, this.#cluster, report, stop.signal);
      return;
    }
    const make = type === null ? undefined : probes[type];
    if (make === undefined) return;
    const limit = outputLimit(definition.outputBytesMax, this.#state.settings.outputBytesMax);
    this.#runRegularly(id, definition, make(definition, limit, this.#tls), stop.signal);
  }

  #runRegularly(id: string, definition: CheckDefinition, probe: Probe, signal: AbortSignal): void {
    const intervalMs = effectiveIntervalMs(definition);
    const counter = new ThresholdCounter(definition);
    const schedule = (delayMs: number): void => {
      const cancel = this.#delay(delayMs, () => {
        signal.removeEventListener("abort", cancel);
        void runOnce();
      });
      signal.addEventListener("abort", cancel, { once: true });
    };
    const runOnce = async (): Promise<void> => {
      const result = await probe(signal);
      if (signal.aborted) return;
      if (counter.publishes(result.status)) this.#report(id, result, signal);
      schedule(intervalMs);
    };
    schedule(firstRunDelayMs(intervalMs, this.#state.settings.random));
  }

  #report(id: string, { status, output }: ProbeResult, signal: AbortSignal): void {
    if (signal.aborted) return;
    if (status === "critical") this.#log?.warn("agent", "Check is now critical", { check: id });
    this.#state.reportCheck(id, status, output, Date.now());
  }
}
