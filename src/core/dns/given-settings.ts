// How DNS answers at a Worker, as its deployer writes it in `[vars.DNS]`. What is left out is as Consul has it.

import { DurationError, parseDurationMs } from "../model/duration.ts";
import { type DnsSettings, defaultDnsSettings } from "./settings.ts";

/** Durations as Go writes them: `30s`. */
export interface GivenDnsSettings {
  /** "consul" unless given. */
  domain?: string;
  altDomain?: string;
  nodeTtl?: string;
  /** By service, `prefix*` or `*`. */
  serviceTtl?: Readonly<Record<string, string>>;
  /** How long it may be kept that there is no such name. */
  negativeTtl?: string;
  onlyPassing?: boolean;
  aRecordLimit?: number;
  /** Resolvers for all other names: `https:` URLs (RFC 8484), or `http:` on loopback. None: such names are refused. */
  recursors?: readonly string[];
  /** For each of them; 2 s unless given. */
  recursorTimeout?: string;
}

export interface EdgeDnsSettings {
  settings: DnsSettings;
  recursors: readonly string[];
  recursorTimeoutMs: number;
}

const recursorTimeoutMs = 2_000;

/** Throws an Error whose message names the setting that cannot be used. */
export function edgeDnsSettings(given: GivenDnsSettings, datacenter: string): EdgeDnsSettings {
  const { soa } = defaultDnsSettings;
  const recursors = (given.recursors ?? []).map(resolverUrl);
  const serviceTtl = Object.entries(given.serviceTtl ?? {});
  const negativeMs = durationMs("negativeTtl", given.negativeTtl, soa.minTtlSeconds * 1_000);
  return {
    settings: {
      ...defaultDnsSettings,
      datacenter,
      domain: zone(given.domain ?? defaultDnsSettings.domain),
      altDomain: zone(given.altDomain ?? ""),
      nodeTtlMs: durationMs("nodeTtl", given.nodeTtl, defaultDnsSettings.nodeTtlMs),
      serviceTtlMs: Object.fromEntries(
        serviceTtl.map(([service, ttl]) => [service, durationMs("serviceTtl", ttl, 0)]),
      ),
      soa: { ...soa, minTtlSeconds: Math.floor(negativeMs / 1_000) },
      onlyPassing: given.onlyPassing ?? false,
      aRecordLimit: given.aRecordLimit ?? 0,
      hasRecursors: recursors.length > 0,
    },
    recursors,
    recursorTimeoutMs: durationMs("recursorTimeout", given.recursorTimeout, recursorTimeoutMs),
  };
}

function zone(text: string): string {
  return text.replaceAll(/^\.+|\.+$/g, "").toLowerCase();
}

function durationMs(key: string, text: string | undefined, otherwise: number): number {
  if (text === undefined) return otherwise;
  try {
    const ms = parseDurationMs(text);
    if (ms >= 0) return ms;
  } catch (failure) {
    if (!(failure instanceof DurationError)) throw failure;
  }
  throw new Error(`DNS.${key} is "${text}", which is no duration such as "30s"`);
}

const resolver = /^(https:\/\/[^\s/]+|http:\/\/(localhost|127(\.\d+){3}|\[::1\])(:\d+)?)(\/\S*)?$/i;

function resolverUrl(text: string): string {
  if (resolver.test(text)) return text;
  throw new Error(`DNS.recursors names "${text}", which is no https: URL`);
}
