// Configuration entries of configuration files, which the servers create when there are none of that name.

import { decodeEntry } from "../../core/model/config-entry/decode.ts";
import { entryProblem, normalizeEntry } from "../../core/model/config-entry/rules.ts";
import type { ConfigEntry } from "../../core/model/config-entry/types.ts";
import { DecodeError } from "../../core/model/decode.ts";
import { ConfigError } from "./errors.ts";

/** Throws ConfigError with Consul's text for the first that is none. Whether they fit each other is found out later. */
export function resolveConfigEntries(given: readonly object[]): ConfigEntry[] {
  return given.map((value, at) => {
    const where = `config_entries.bootstrap[${at}]`;
    const entry = decoded(where, value);
    const problem = entryProblem(entry);
    if (problem !== null) throw new ConfigError(`${where}: ${problem}`);
    return entry;
  });
}

function decoded(where: string, value: object): ConfigEntry {
  try {
    return normalizeEntry(decodeEntry(JSON.stringify(value)));
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    throw new ConfigError(`${where}: ${error.message}`);
  }
}
