// The way from a command line to a configuration: flags, the files they name, defaults of `-dev`,
// rules, node id. The same way is gone again at a reload.

import { hostname } from "node:os";
import { hostAddresses, type HostAddress } from "./addresses.ts";
import { ConfigError } from "./errors.ts";
import { readConfigFiles, readFragment } from "./file.ts";
import { parseFlags, type ParsedFlags } from "./flags.ts";
import { mergeFragments } from "./merge.ts";
import { loadNodeId } from "./node-id.ts";
import { resolveConfig } from "./resolve.ts";
import type { ResolvedAgentConfig } from "./types.ts";

/** What the host says about itself; replaced in tests. */
export interface HostFacts {
  hostName: string;
  addresses: readonly HostAddress[];
}

/** What `-dev` presets; files and flags go over it. */
const devPresets: Readonly<Record<string, unknown>> = {
  bind_addr: "127.0.0.1",
  "connect.enabled": true,
  log_level: "DEBUG",
  "performance.raft_multiplier": 1,
  "ports.grpc": 8502,
  server: true,
  ui: true,
};

/**
 * Reads the arguments after `agent` and everything they name. Throws FlagError (usage follows) and
 * ConfigError; a node id that had to be drawn is written to the data directory.
 */
export function loadAgentConfig(
  args: readonly string[],
  facts: HostFacts = { hostName: hostname(), addresses: hostAddresses() },
): ResolvedAgentConfig {
  const flags = parseFlags(args);
  if (flags.rest.length > 0) {
    throw new ConfigError(`Unexpected extra arguments: [${flags.rest.join(" ")}]`);
  }
  const { config, nodeId } = resolveSources(flags, facts);
  // A development agent is a new node each time, unless it is told where to remember.
  return Object.freeze({ ...config, nodeId: loadNodeId(nodeId, config.dataDir) });
}

function resolveSources(
  flags: ParsedFlags,
  facts: HostFacts,
): { config: Omit<ResolvedAgentConfig, "nodeId">; nodeId: string } {
  const files = readConfigFiles(flags.configPaths, flags.configFormat);
  const token = process.env["PROCONSUL_TOKEN"] ?? "";
  const presets = new Map(
    Object.entries({
      ...(flags.devMode && devPresets),
      ...(token !== "" && { join_token: token }),
    }),
  );
  const merged = mergeFragments(presets, [
    ...files.fragments,
    flags.fragment,
    ...flags.hcl.map(readFragment),
  ]);
  const config = resolveConfig(merged, {
    devMode: flags.devMode,
    servers: flags.servers,
    runtime: flags.runtime,
    hostName: facts.hostName,
    hostAddresses: facts.addresses,
  });
  const warnings = [...files.warnings, ...config.warnings];
  return { config: { ...config, warnings }, nodeId: merged.values.node_id };
}

/**
 * What `consul validate` does: throws as {@link loadAgentConfig}, writes nothing. Returns the
 * warnings.
 */
export function validateConfigFiles(
  paths: readonly string[],
  format: string,
  facts: HostFacts = { hostName: hostname(), addresses: hostAddresses() },
): readonly string[] {
  const flags = { ...parseFlags([]), configPaths: [...paths], configFormat: format };
  return resolveSources(flags, facts).config.warnings;
}
