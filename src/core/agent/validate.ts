// Refuses definitions as Consul 1.8 does: in the same order and with the same texts, because
// clients show and match them. Everything here throws ServiceError; a definition that passes is
// never checked again.

import { ServiceError } from "../model/errors.ts";
import { isAnyAddress, metaProblem, serviceProblem } from "../model/registration.ts";
import type { NodeServiceDefinition, Weights } from "../model/types.ts";
import {
  isAlias,
  type CheckDefinition,
  type ServiceDefinition,
  type SidecarDefinition,
} from "./definitions.ts";
import { isIpv4, isIpv6 } from "./ip-address.ts";

const weightMax = 65_535;
const statuses: readonly string[] = ["passing", "warning", "critical"];

export function isCheckStatus(status: string): boolean {
  return statuses.includes(status);
}

/** Throws `malformed` for what `PUT /v1/agent/service/register` answers with 400. */
export function validateService(definition: ServiceDefinition): void {
  const { service } = definition;
  if (service.Service === "") throw malformed("Missing service name");
  if (isAnyAddress(service.Address)) throw malformed("Invalid service address");
  const weights = service.Weights === null ? null : weightsError(service.Weights);
  if (weights !== null) throw malformed(`Invalid Weights: ${weights}`);
  const metadata = metaProblem(service.Meta);
  if (metadata !== null) throw malformed(`Invalid Service Meta: ${metadata}`);
  const sidecar = sidecarErrors(definition);
  if (sidecar.length > 0) throw malformed(listErrors(sidecar));
  const problem = serviceProblem(service);
  if (problem !== null) throw malformed(problem);
  validateServiceChecks(definition.checks);
  if (definition.sidecar !== null) validateSidecar(definition.sidecar);
  validateTaggedAddresses(service);
  if (definition.sidecar !== null) validateTaggedAddresses(definition.sidecar.service);
}

function validateServiceChecks(checks: readonly CheckDefinition[]): void {
  for (const check of checks) {
    const problem = checkError(check);
    if (problem !== null) throw malformed(`Invalid check: ${problem}`);
    if (check.status !== "" && !isCheckStatus(check.status)) throw malformed(badStatus);
  }
}

const badStatus = "Status for checks must 'passing', 'warning', 'critical'";

/** Consul wraps these twice, so that a 400's text arrives with status 500. */
function validateSidecar(sidecar: SidecarDefinition): void {
  const metadata = metaProblem(sidecar.service.Meta);
  if (metadata !== null) throw refused(`Bad request: Invalid SidecarService: ${metadata}`);
  for (const check of sidecar.checks) {
    const problem = checkError(check);
    if (problem !== null) {
      throw refused(`Bad request: Invalid check in sidecar_service: ${problem}`);
    }
    if (check.status !== "" && !isCheckStatus(check.status)) {
      throw refused(`Bad request: ${badStatus}`);
    }
  }
}

/** Throws `malformed` for what `PUT /v1/agent/check/register` answers with 400. */
export function validateCheck(check: CheckDefinition): void {
  if (check.name === "") throw malformed("Missing check name");
  if (check.status !== "" && !isCheckStatus(check.status)) throw malformed("Bad check status");
  const problem = checkError(check);
  if (problem !== null) throw malformed(`Invalid check: ${problem}`);
}

/** What is wrong with how a check is to be run, or null. */
export function checkError(check: CheckDefinition): string | null {
  const targets = [check.http, check.tcp, check.grpc, check.udp, check.h2ping];
  const periodic = check.args.length > 0 || targets.some(Boolean);
  const alias = isAlias(check);
  const rules: readonly [boolean, string][] = [
    [check.intervalMs > 0 && check.ttlMs > 0, "Interval and TTL cannot both be specified"],
    [periodic && check.intervalMs <= 0, "Interval must be > 0 for Script, HTTP, or TCP checks"],
    [periodic && alias, "Interval cannot be set for Alias checks"],
    [alias && check.ttlMs > 0, "TTL must be not be set for Alias checks"],
    [!periodic && !alias && check.ttlMs <= 0, "TTL must be > 0 for TTL checks"],
    [check.outputBytesMax < 0, "MaxOutputMaxSize must be positive"],
  ];
  return rules.find(([broken]) => broken)?.[1] ?? null;
}

function weightsError({ Passing: passing, Warning: warning }: Weights): string | null {
  if (passing < 1) return "Passing must be greater than 0";
  if (warning < 0) return "Warning must be greater or equal than 0";
  if (passing > weightMax || warning > weightMax) return "DNS Weight must be between 0 and 65535";
  return null;
}

function sidecarErrors({ service, sidecar }: ServiceDefinition): string[] {
  if (sidecar === null) return [];
  const problems: string[] = [];
  if (service.Kind.endsWith("-gateway")) {
    problems.push(`A ${service.Kind} cannot have a sidecar service defined`);
  }
  if (sidecar.service.ID !== "") {
    problems.push("A SidecarService cannot specify an ID as this is managed by the agent");
  }
  if (sidecar.nested) problems.push("A SidecarService cannot have a nested SidecarService");
  return problems;
}

function validateTaggedAddresses(service: NodeServiceDefinition): void {
  for (const [tag, { Address: address }] of Object.entries(service.TaggedAddresses ?? {})) {
    if (/^[lw]an_ipv4$/.test(tag) && !isIpv4(address)) {
      throw refused(`Service tagged address "${tag}" must be a valid ipv4 address`);
    }
    if (/^[lw]an_ipv6$/.test(tag) && !isIpv6(address)) {
      throw refused(`Service tagged address "${tag}" must be a valid ipv6 address`);
    }
  }
}

/** Several errors as Consul's library for them prints them. */
export function listErrors(errors: readonly string[]): string {
  const head = errors.length === 1 ? "1 error" : `${errors.length} errors`;
  return `${head} occurred:\n${errors.map((error) => `\t* ${error}\n`).join("")}\n`;
}

function malformed(message: string): ServiceError {
  return new ServiceError("malformed", message);
}

function refused(message: string): ServiceError {
  return new ServiceError("invalid", message);
}
