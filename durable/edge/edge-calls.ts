// Which calls of the LocalAgent port an EdgeAgent answers, by name. The rest is answered by the Worker itself
// (agent-stub.ts) or makes no sense without a host.

import type { LocalServices } from "../../src/core/agent/local-services.ts";
import { ServiceError } from "../../src/core/model/errors.ts";
import { limits } from "../../src/core/model/limits.ts";
import type { CheckStatus } from "../../src/core/agent/definitions.ts";

type Call = (services: LocalServices, args: never) => unknown;

export const edgeReads: Record<string, Call> = {
  services: (agent) => agent.services(),
  service: (agent, [id]: readonly string[]) => agent.service(id ?? ""),
  checks: (agent) => agent.checks(),
  hasService: (agent, [id]: readonly string[]) => agent.state.rows.services.has(id ?? ""),
  hasCheck: (agent, [id]: readonly string[]) => agent.state.rows.checks.has(id ?? ""),
  nodeChecks: (agent) => agent.state.rows.checksOf("").map(({ check }) => check),
  serviceHealth: (agent, [id]: readonly string[]) => agent.serviceHealth(id ?? ""),
  serviceHealthByName: (agent, [name]: readonly string[]) => agent.serviceHealthByName(name ?? ""),
};

/** What changes services and checks: answered when the catalog has it, or after a moment. */
export const edgeWrites: Record<string, Call> = {
  registerService: (
    agent,
    [body, options]: readonly [string, { token?: string; replaceExistingChecks: boolean }],
  ) => agent.registerService(body, options),
  deregisterService: (agent, [id]: readonly string[]) => agent.deregisterService(id ?? ""),
  registerCheck: (agent, [body, options]: readonly [string, { token?: string }]) =>
    agent.registerCheck(body, options),
  deregisterCheck: (agent, [id]: readonly string[]) => agent.deregisterCheck(id ?? ""),
  updateCheck: (agent, [id, status, output]: readonly [string, CheckStatus, string]) =>
    agent.updateCheck(id, status, output),
  serviceMaintenance: (
    agent,
    [id, request]: readonly [string, { enable: boolean; reason: string }],
  ) => agent.serviceMaintenance(id, request.enable, request.reason),
  nodeMaintenance: (agent, [request]: readonly [{ enable: boolean; reason: string }]) =>
    agent.nodeMaintenance(request.enable, request.reason),
};

/** Throws ServiceError `too-large` for a call that changes something, when what it brings would not fit a row. */
export function refuseTooLarge(bytes: number): void {
  const max = limits.edgeRegistrationBytesMax;
  if (bytes <= max) return;
  throw new ServiceError("too-large", `Registration is too large (${bytes} > ${max} bytes)`);
}
