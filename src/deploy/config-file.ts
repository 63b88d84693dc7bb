// The configuration that wrangler deploys: the repository's wrangler.toml, with what the deployer decided put in.

import type { Deployment } from "./deployment.ts";

/** What wrangler reads of a configuration, as far as it matters here. */
export interface RawConfig {
  main?: string;
  vars?: Record<string, unknown>;
  [key: string]: unknown;
}

export interface ConfigParts {
  base: RawConfig;
  deployment: Deployment;
  /** Of the repository, as seen from where the file will lie. */
  pathTo: string;
  /** Of the static files, likewise. */
  assets: string;
  /** By which hosts know releases of the agent, SPKI as base64. */
  installKey: string;
}

export function configText({ base, deployment, pathTo, assets, installKey }: ConfigParts): string {
  // Environments are for `wrangler deploy --env`; a configuration with them wants to be told which.
  const { main = "src/index.ts", vars = {}, env: _environments, ...rest } = base;
  const { name, domain, datacenters } = deployment;
  const [first = "dc1"] = Object.keys(datacenters);
  const config = {
    ...rest,
    name,
    main: `${pathTo}/${main}`,
    vars: {
      ...vars,
      DEFAULT_DC: first,
      INSTALL_KEY: installKey,
      DATACENTERS: settingsOf(datacenters, vars["DATACENTERS"]),
    },
    // Static files reach no Worker; whatever is none of them does, and finds the web UI's page by this name.
    assets: { directory: assets, binding: "ASSETS", not_found_handling: "none" },
    // One address is enough, and what nobody knows of nobody tries.
    workers_dev: domain === "",
    preview_urls: false,
    ...(domain !== "" && { routes: [{ pattern: domain, custom_domain: true }] }),
  };
  return `${JSON.stringify(config, null, 2)}\n`;
}

/** Whatever else wrangler.toml says of a datacenter holds. */
function settingsOf(datacenters: Deployment["datacenters"], known: unknown): object {
  const before = (known ?? {}) as Record<string, object | undefined>;
  const plans = Object.entries(datacenters).map(([dc, { regions }]) => {
    return [dc, { ...before[dc], servers: regions.length, hints: regions }] as const;
  });
  return Object.fromEntries(plans);
}
