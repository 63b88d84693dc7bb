// What entries say for one service and its upstreams, for agents that fill it in where a registration says nothing.

import { globalProxyName } from "../../../model/config-entry/types.ts";
import type { ProxyDefaults, ServiceDefaults } from "../../../model/config-entry/types.ts";
import { encodeJson } from "../../../model/json.ts";
import type { JsonObject, JsonValue } from "../../../model/json.ts";
import type { Expose } from "../../../model/types.ts";
import type { PlainRead } from "../../read.ts";
import { requireRead } from "../../view.ts";
import type { Topic } from "../../watch.ts";
import { configIndex } from "./entries.ts";
import { watchedEntries } from "./watched-entries.ts";

export const resolve: PlainRead<{ service: string; upstreams: string[] }> = {
  evaluate: ({ service, upstreams }, view) => {
    requireRead(view, "service", service);
    const topics = new Set<Topic>();
    const entries = watchedEntries(view, topics);
    const proxies = entries.find("proxy-defaults", globalProxyName);
    const own = entries.find("service-defaults", service);
    const general = proxies?.Config?.["protocol"];
    const protocols = upstreams.flatMap((name): [string, string][] => {
      const protocol = entries.find("service-defaults", name)?.Protocol || general;
      return typeof protocol === "string" && protocol !== "" ? [[name, protocol]] : [];
    });
    const body = encodeJson({
      ProxyConfig: proxyConfig(proxies, own),
      UpstreamProtocols: Object.fromEntries(protocols),
      MeshGateway: { Mode: own?.MeshGateway.Mode || proxies?.MeshGateway.Mode || "" },
      Expose: expose(proxies?.Expose, own?.Expose) as unknown as JsonValue,
    });
    return { index: view.meta.index(configIndex), body, topics: [...topics] };
  },
};

function proxyConfig(
  proxies: ProxyDefaults | null,
  own: ServiceDefaults | null,
): JsonObject | null {
  const protocol = own && own.Protocol !== "" ? { protocol: own.Protocol } : null;
  const general = proxies?.Config ?? null;
  return protocol ? { ...general, ...protocol } : general;
}

function expose(general: Expose | undefined, own: Expose | undefined): Expose {
  return {
    Checks: Boolean(own?.Checks || general?.Checks),
    Paths: own?.Paths?.length ? own.Paths : (general?.Paths ?? null),
  };
}
