// A check as a Checker runs it: what of its definition counts, and under which key its results go.

import {
  checkType,
  type CheckDefinition,
  type CheckStatus,
} from "../../src/core/agent/definitions.ts";
import { hashOf } from "../platform/shard.ts";

const fields = [
  ...(["http", "method", "header", "body", "tcp", "tlsSkipVerify", "intervalMs"] as const),
  ...(["timeoutMs", "successBeforePassing", "failuresBeforeCritical", "outputBytesMax"] as const),
] as const;

export interface EdgeCheck extends Pick<CheckDefinition, (typeof fields)[number]> {
  id: string;
  /** Another one for another definition: results of a former one are not this one's. */
  key: string;
}

export interface RegionResult {
  id: string;
  key: string;
  status: CheckStatus;
  output: string;
}

/** Null for what needs no Checker. */
export function edgeCheck(id: string, definition: CheckDefinition | null): EdgeCheck | null {
  const type = definition && checkType(definition);
  if (!definition || (type !== "http" && type !== "tcp")) return null;
  const entries = fields.map((field) => [field, definition[field]] as const);
  const asked = Object.fromEntries(entries) as Pick<CheckDefinition, (typeof fields)[number]>;
  return { id, key: hashOf(JSON.stringify([id, asked])).toString(36), ...asked };
}

/** All runs are at whole ticks, so that one alarm does for all that are due, and is remembered by nobody. */
export const tickMs = 10_000;

/** Whole ticks, at least one: shorter intervals cost more than they tell. */
export function intervalMsOf({ intervalMs }: EdgeCheck): number {
  return Math.max(Math.ceil(intervalMs / tickMs), 1) * tickMs;
}
