// The names that certificates of Connect carry: SPIFFE ids, as URIs. Read and written as Go's URL package does it.

import { decodePercent } from "../lib/percent.ts";

export type SpiffeId =
  | { kind: "service"; host: string; namespace: string; datacenter: string; service: string }
  | { kind: "agent"; host: string; datacenter: string; agent: string }
  /** What a trust domain's own certificates carry. */
  | { kind: "signing"; host: string };

const uriPattern = /^spiffe:\/\/(?:[^/?#@]*@)?([^/?#@]*)([^?#]*)(?:[?#]|$)/i;
/** What Go takes for a host: an address in brackets or nothing odd, and a port in digits. */
const hostPattern = /^(?:\[[^[\]]*\]|[\w\-.~!$&'()*+,;=<>"\u0080-\uffff]*)(?::\d*)?$/;
// oxlint-disable-next-line no-control-regex -- Go refuses every URI that has one
const control = /[\u0000-\u001f\u007f]/;
const servicePattern = /^\/ns\/([^/]+)\/dc\/([^/]+)\/svc\/([^/]+)$/;
const agentPattern = /^\/agent\/client\/dc\/([^/]+)\/id\/([^/]+)$/;

/** Null for what is none of them. */
export function parseSpiffeId(uri: string): SpiffeId | null {
  const [, host = "", path = ""] = uriPattern.exec(uri) ?? [];
  if (!uriPattern.test(uri) || control.test(uri) || !hostPattern.test(host)) return null;
  if (/%(?![\da-fA-F]{2})/.test(path)) return null;
  const service = servicePattern.exec(path);
  if (service) {
    const [namespace = "", datacenter = "", name = ""] = service.slice(1).map(decodePercent);
    return { kind: "service", host, namespace, datacenter, service: name };
  }
  const agent = agentPattern.exec(path);
  if (agent) {
    const [datacenter = "", name = ""] = agent.slice(1).map(decodePercent);
    return { kind: "agent", host, datacenter, agent: name };
  }
  return path === "" && host.includes(".") ? { kind: "signing", host } : null;
}

/** The id of a service in the default namespace. */
export function serviceUri(trustDomain: string, datacenter: string, service: string): string {
  return `spiffe://${trustDomain}${escapePath(`/ns/default/dc/${datacenter}/svc/${service}`)}`;
}

/** The id of an agent, by the name of its node. */
export function agentUri(trustDomain: string, datacenter: string, node: string): string {
  return `spiffe://${trustDomain}${escapePath(`/agent/client/dc/${datacenter}/id/${node}`)}`;
}

export function signingUri(trustDomain: string): string {
  return `spiffe://${trustDomain}`;
}

/** What Go leaves as it is in a path beside letters, digits and `-_.~`. */
const unescapedInPaths = /%(?:24|26|2B|2C|2F|3A|3B|3D|40)/g;

function escapePath(path: string): string {
  return encodeURIComponent(path.toWellFormed())
    .replace(/[!'()*]/g, (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`)
    .replace(unescapedInPaths, decodePercent);
}

/** A certificate's common name holds 64 characters. */
const commonNameMax = 64;

/** Common name of a service's certificate: of the service's name only what is in every alphabet. */
export function serviceCommonName(trustDomain: string, service: string): string {
  return plainName(service, `.svc.default.${trustDomain.slice(0, 8)}.consul`);
}

/** The same of an agent's. */
export function agentCommonName(trustDomain: string, node: string): string {
  return plainName(node, `.agnt.${trustDomain.slice(0, 8)}.consul`);
}

function plainName(name: string, rest: string): string {
  const plain = name.toLowerCase().replace(/[^a-z0-9]/g, "");
  return plain.slice(0, commonNameMax - rest.length) + rest;
}

/** Common name of a root; `unique` tells it from other roots of the same trust domain. */
export function rootCommonName(trustDomain: string, unique: string): string {
  return `pri-${unique}.consul.ca.${trustDomain.slice(0, 8)}.consul`;
}

/** The same of what a secondary datacenter signs with. */
export function intermediateCommonName(trustDomain: string, unique: string): string {
  return `sec-${unique}.consul.ca.${trustDomain.slice(0, 8)}.consul`;
}
