// What commands about the key-value store share.

import { pathOf } from "../../api.ts";
import { Failure } from "../../command.ts";

export interface KvPair {
  Key: string;
  Flags: number | bigint;
  /** In base 64; null for none. */
  Value: string | null;
  LockIndex: number | bigint;
  CreateIndex: number | bigint;
  ModifyIndex: number | bigint;
  /** Absent while nobody holds the lock. */
  Session?: string;
}

export function kvPath(key: string): string {
  return `/v1/kv/${pathOf(key)}`;
}

/** Throws Failure for a name that cannot be written. */
export function checkName(key: string, context: string): void {
  if (!key.startsWith("/")) return;
  throw new Failure(`${context}: Invalid key. Key must not begin with a '/': ${key}`);
}

/** A name is taken without its first slash where it is read or deleted. */
export function withoutSlash(key: string): string {
  return key.startsWith("/") ? key.slice(1) : key;
}
