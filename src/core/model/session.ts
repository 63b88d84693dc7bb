// What makes a session acceptable, and the odd rules by which Consul reads one.

import { decodeRaw } from "./decode.ts";
import { DurationError, formatDuration, parseDuration } from "./duration.ts";
import { ServiceError } from "./errors.ts";
import { limits } from "./limits.ts";
import { parseRawJson, RawObject } from "./raw-json.ts";
import type { RawJson } from "./raw-json.ts";
import { sessionDefinitionSchema } from "./schemas.ts";
import type { SessionDefinition } from "./types.ts";

const secondNs = 1e9;
const lockDelayNsDefault = 15 * secondNs;
/** A LockDelay below this means seconds. */
const lockDelaySecondsBelow = 1_000;
const aliveCheck = "serfHealth";

/** A session as its creator's defaults make it. */
export function defaultSession(id: string, node: string): SessionDefinition {
  return {
    ID: id,
    Name: "",
    Node: node,
    LockDelay: lockDelayNsDefault,
    Behavior: "release",
    TTL: "",
    NodeChecks: [aliveCheck],
    ServiceChecks: null,
    Checks: [aliveCheck],
  };
}

/**
 * Reads the body of `PUT /v1/session/create` over the defaults ("" is no body). Unknown members are ignored,
 * and so is an id the client chose. Throws DecodeError with Go's message.
 */
export function decodeSession(body: string, defaults: SessionDefinition): SessionDefinition {
  const session = { ...defaults };
  if (body !== "") {
    const raw = parseRawJson(body);
    const decoded = decodeRaw(sessionDefinitionSchema, raw, "ignore") as SessionDefinition;
    const given = raw instanceof RawObject ? raw.members : [];
    for (const name of Object.keys(decoded) as (keyof SessionDefinition)[]) {
      if (given.some(([member, value]) => overwrites(name, member, value))) {
        assign(session, decoded, name);
      }
    }
    session.ID = defaults.ID;
    session.Behavior ||= defaults.Behavior;
    if (session.LockDelay < lockDelaySecondsBelow) session.LockDelay *= secondNs;
  }
  return settleChecks(session);
}

/** Whether a member sets a field: null only resets the lists. */
function overwrites(name: keyof SessionDefinition, member: string, value: RawJson): boolean {
  return name.toLowerCase() === member.toLowerCase() && (value !== null || name.endsWith("Checks"));
}

function assign<Name extends keyof SessionDefinition>(
  target: SessionDefinition,
  source: SessionDefinition,
  name: Name,
): void {
  target[name] = source[name];
}

/** Emptying either list switches off the default of both; the default is shown in one of them only. */
function settleChecks(session: SessionDefinition): SessionDefinition {
  const { Checks: legacy, NodeChecks: bound } = session;
  if (legacy === null || legacy.length === 0) return { ...session, Checks: null, NodeChecks: [] };
  const isDefault = legacy.length === 1 && legacy[0] === aliveCheck;
  const isOff = bound === null || bound.length === 0;
  return { ...session, Checks: isOff || isDefault ? null : legacy };
}

/**
 * Refuses what the state machine would never accept, in Consul's words. Where sessions are created, `ttlMsMin` is the
 * configured shortest TTL; the servers themselves only hold everybody to their floor.
 */
export function validateSession(
  session: SessionDefinition,
  ttlMsMin: number = limits.sessionTtlMsFloor,
): void {
  if (session.Node === "") throw new ServiceError("invalid", "Must provide Node");
  if (session.Behavior !== "release" && session.Behavior !== "delete") {
    throw new ServiceError("invalid", `Invalid Behavior setting '${session.Behavior}'`);
  }
  if (session.TTL === "") return;
  const ttlNs = parseTtl(session.TTL);
  const minNs = ttlMsMin * 1e6;
  const maxNs = limits.sessionTtlMsMax * 1e6;
  if (ttlNs !== 0 && (ttlNs < minNs || ttlNs > maxNs)) {
    const range = `[${formatDuration(minNs)}=${formatDuration(maxNs)}]`;
    throw new ServiceError("invalid", `Invalid Session TTL '${ttlNs}', must be between ${range}`);
  }
}

function parseTtl(ttl: string): number {
  try {
    return parseDuration(ttl);
  } catch (error) {
    if (!(error instanceof DurationError)) throw error;
    throw new ServiceError("invalid", `Session TTL '${ttl}' invalid: ${error.message}`);
  }
}

/** 0 when the session does not expire. */
export function sessionTtlMs(session: SessionDefinition): number {
  return session.TTL === "" ? 0 : Math.ceil(parseDuration(session.TTL) / 1e6);
}
