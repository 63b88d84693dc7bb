// Applies what the configuration files define: at the start, and again after a reload. What the
// files do not define any more goes; what the API registered stays, unless a file defines the same.

import { ServiceError } from "../model/errors.ts";
import type { CheckDefinition, ServiceDefinition } from "./definitions.ts";
import type { LocalAgentState } from "./local-state.ts";

export interface FileDefinitions {
  services: readonly ServiceDefinition[];
  checks: readonly CheckDefinition[];
}

/** Throws ServiceError (`invalid`) naming the first definition that the state refuses. */
export function applyFileDefinitions(
  state: LocalAgentState,
  definitions: FileDefinitions,
  nowMs: number,
): void {
  const { rows } = state;
  const services = new Map(rows.services);
  const checks = new Map(rows.checks);
  const options = { origin: "file", nowMs } as const;
  for (const definition of definitions.services) {
    naming(`service "${definition.service.Service}"`, () =>
      state.registerService(definition, options),
    );
  }
  for (const check of definitions.checks) {
    naming(`check '${check.name}'`, () => state.registerCheck(check, options));
  }
  // A row that is still the one from before was not defined again.
  for (const [id, entry] of checks) {
    if (entry.origin === "file" && rows.checks.get(id) === entry) state.deregisterCheck(id, nowMs);
  }
  for (const [id, entry] of services) {
    if (entry.origin !== "file" || rows.services.get(id) !== entry) continue;
    state.deregisterService(id, nowMs);
  }
}

function naming(what: string, register: () => void): void {
  try {
    register();
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error;
    throw new ServiceError("invalid", `Failed to register ${what}: ${error.message}`);
  }
}
