// Which protocol a service speaks: what its own defaults say, else what is said for all proxies, else TCP.

import type { JsonObject } from "../../../../model/json.ts";
import { formatPlain } from "../../../../model/config-entry/go-number.ts";
import { globalProxyName } from "../../../../model/config-entry/types.ts";
import type { EntrySource } from "./source.ts";

const httpLike = new Set(["http", "http2", "grpc"]);

/** Whether requests of the protocol, which is in lower case, can be routed and split one by one. */
export function isHttpLike(protocol: string): boolean {
  return httpLike.has(protocol);
}

/** In lower case. */
export function protocolOf(entries: EntrySource, service: string): string {
  const defaults = entries.find("service-defaults", service);
  const said = defaults
    ? defaults.Protocol
    : configuredProtocol(entries.find("proxy-defaults", globalProxyName)?.Config ?? {});
  return (said === "" ? "tcp" : said).toLowerCase();
}

/** What a proxy's free-form configuration says, whatever its type; "" when it says nothing. */
function configuredProtocol(config: JsonObject): string {
  const name = Object.hasOwn(config, "protocol")
    ? "protocol"
    : Object.keys(config).find((key) => key.toLowerCase() === "protocol");
  const said = name === undefined ? undefined : config[name];
  if (typeof said === "number") return formatPlain(said);
  if (typeof said === "boolean") return said ? "1" : "0";
  return typeof said === "string" ? said : "";
}
