// The shape of service and check definitions in configuration files, where names are in snake_case,
// and their translation into bodies of the API, so that both are decoded and validated by the same
// code.

import { isRecord } from "../../core/lib/record.ts";
import { type ConfigRecord, unwrapped, unwrappedDeep } from "./values.ts";

/** `map`: any keys; `list` and `shape` nest. */
export type Shape =
  | "text"
  | "flag"
  | "integer"
  | "duration"
  | "texts"
  | "map"
  | "any"
  | { map: Shape }
  | { list: Shape }
  | { fields: Readonly<Record<string, Shape>> };

const probe = {
  name: "text",
  notes: "text",
  status: "text",
  args: "texts",
  script_args: "texts",
  http: "text",
  header: { map: "texts" },
  method: "text",
  body: "text",
  output_max_size: "integer",
  tcp: "text",
  udp: "text",
  h2ping: "text",
  h2ping_use_tls: "flag",
  interval: "duration",
  docker_container_id: "text",
  shell: "text",
  tls_skip_verify: "flag",
  timeout: "duration",
  ttl: "duration",
  success_before_passing: "integer",
  failures_before_critical: "integer",
  deregister_critical_service_after: "duration",
  alias_node: "text",
  alias_service: "text",
  grpc: "text",
  grpc_use_tls: "flag",
  service_id: "text",
} as const satisfies Record<string, Shape>;

export const checkShape: Shape = { fields: { id: "text", token: "text", ...probe } };

const upstreamShape: Shape = {
  fields: {
    config: "any",
    datacenter: "text",
    destination_name: "text",
    destination_namespace: "text",
    destination_type: "text",
    local_bind_address: "text",
    local_bind_port: "integer",
    mesh_gateway: { fields: { mode: "text" } },
  },
};

const pathShape: Shape = {
  fields: {
    listener_port: "integer",
    path: "text",
    local_path_port: "integer",
    protocol: "text",
  },
};

const proxyShape: Shape = {
  fields: {
    config: "any",
    destination_service_id: "text",
    destination_service_name: "text",
    local_service_address: "text",
    local_service_port: "integer",
    mesh_gateway: { fields: { mode: "text" } },
    expose: { fields: { checks: "flag", paths: { list: pathShape } } },
    upstreams: { list: upstreamShape },
  },
};

function serviceFields(sidecar: Shape): Record<string, Shape> {
  return {
    kind: "text",
    id: "text",
    name: "text",
    tags: "texts",
    address: "text",
    tagged_addresses: { map: { fields: { address: "text", port: "integer" } } },
    meta: "map",
    port: "integer",
    check: checkShape,
    checks: { list: checkShape },
    weights: { fields: { passing: "integer", warning: "integer" } },
    token: "text",
    enable_tag_override: "flag",
    proxy: proxyShape,
    connect: { fields: { native: "flag", sidecar_service: sidecar } },
  };
}

export const serviceShape: Shape = {
  fields: serviceFields({ fields: serviceFields("any") }),
};

/** A definition as the body of the API call that registers it. `value` has the shape already. */
export function serviceBody(value: ConfigRecord): string {
  return JSON.stringify(apiNames(serviceShape, withCheckIds(value)));
}

/** The body of a service as agents read files, in which the single check comes after the list, unlike in the API. */
export function withCheckLast(body: string): string {
  const { check, checks, ...service } = JSON.parse(body) as ConfigRecord;
  if (!isRecord(check)) return body;
  const others = Array.isArray(checks) ? (checks as unknown[]) : [];
  return JSON.stringify({ ...service, checks: [...others, check] });
}

export function checkBody(value: ConfigRecord): string {
  return JSON.stringify(apiNames(checkShape, value));
}

/**
 * Without underscores the names differ from the API's in case only, and case does not matter there. Blocks, which are
 * lists of one, become what they hold.
 */
function apiNames(shape: Shape, value: unknown): unknown {
  if (shape === "texts") return (value as unknown[] | null)?.map(unwrapped) ?? null;
  if (typeof shape !== "string" && "list" in shape) {
    return (value as unknown[] | null)?.map((item) => apiNames(shape.list, item)) ?? null;
  }
  if (shape === "any") return unwrappedDeep(value);
  const one = unwrapped(value);
  if (one === null || typeof shape === "string") {
    return shape === "map" ? unwrappedDeep(one) : one;
  }
  const members = Object.entries(one as ConfigRecord);
  if ("map" in shape) {
    return Object.fromEntries(members.map(([key, item]) => [key, apiNames(shape.map, item)]));
  }
  return Object.fromEntries(
    members.map(([key, item]) => [
      key.replaceAll("_", ""),
      apiNames(shape.fields[key] ?? "any", item),
    ]),
  );
}

/**
 * The API says `CheckID` inside a service, where files say `id`; a token of its own such a check
 * has not.
 */
function withCheckIds(service: ConfigRecord): ConfigRecord {
  const result = { ...service };
  if ("check" in result) result["check"] = withCheckId(result["check"]);
  if (Array.isArray(result["checks"])) result["checks"] = result["checks"].map(withCheckId);
  const connect = unwrapped(result["connect"]);
  const sidecar = isRecord(connect) ? unwrapped(connect["sidecar_service"]) : null;
  if (isRecord(connect) && isRecord(sidecar)) {
    result["connect"] = { ...connect, sidecar_service: withCheckIds(sidecar) };
  }
  return result;
}

function withCheckId(given: unknown): unknown {
  const check = unwrapped(given);
  if (!isRecord(check)) return check;
  const { id, token: _token, ...rest } = check;
  return id === undefined ? rest : { ...rest, checkid: id };
}
