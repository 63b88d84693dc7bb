// Watches of the configuration, as Consul reads them: parameters are taken one by one, and what is left when something
// is wrong is shown as Go prints a map.

import { isRecord } from "../../core/lib/record.ts";
import { DurationError, parseDurationMs } from "../../core/model/duration.ts";
import { agentViewFrom, type View, WatchError } from "./views.ts";

export interface ScriptHandler {
  kind: "script";
  /** A program and its arguments; one text for a shell. */
  command: readonly string[] | string;
}

export interface HttpHandler {
  kind: "http";
  url: string;
  method: string;
  timeoutMs: number;
  headers: Readonly<Record<string, readonly string[]>>;
  tlsSkipVerify: boolean;
}

export interface WatchDefinition {
  type: string;
  view: View;
  handler: ScriptHandler | HttpHandler;
  /** "" for the agent's own. */
  datacenter: string;
  token: string;
  isDeprecated: boolean;
}

type Values = Record<string, unknown>;

const httpTimeoutMsDefault = 10_000;
const notAllowed = ["connect_roots", "connect_leaf", "connect_proxy_config"];

/** Throws WatchError in Consul's words. */
export function watchFrom(given: Readonly<Values>): WatchDefinition {
  const left: Values = { handler_type: "script", ...given };
  const kind = left["handler_type"];
  if (kind !== "http" && kind !== "script") {
    throw new WatchError(`Handler type '${shown(kind, true)}' not recognized`);
  }
  const type = left["type"];
  if (typeof type === "string" && notAllowed.includes(type)) {
    throw new WatchError(`Watch type ${type} is not allowed in agent config`);
  }
  try {
    const parsed = parse(left);
    return {
      ...parsed,
      handler: parsed.http ?? scriptOf(given),
      isDeprecated: Object.hasOwn(given, "handler"),
    };
  } catch (failure) {
    if (!(failure instanceof ParseFailure)) throw failure;
    throw new WatchError(`Failed to parse watch (${shown(left)}): ${failure.message}`);
  }
}

/** Is told with what is left of the parameters. */
class ParseFailure extends Error {}

interface Parsed {
  type: string;
  view: View;
  datacenter: string;
  token: string;
  http: HttpHandler | null;
}

function parse(left: Values): Parsed {
  const datacenter = taken(left, "datacenter");
  const token = taken(left, "token");
  const type = taken(left, "type");
  if (type === "") throw new ParseFailure("Watch type must be specified");
  const kind = taken(left, "handler_type");
  const http = kind === "http" ? httpOf(left) : null;
  const { stale, parameters } = viewParameters(left, type);
  const view = viewOf(type, parameters);
  const exempt = ["handler", "args"];
  const extra = Object.keys(left).filter((name) => !exempt.includes(name));
  // What may be a handler is not shown either.
  for (const name of exempt) delete left[name];
  if (extra.length > 0) throw new ParseFailure(`Invalid parameters: [${extra.join(" ")}]`);
  const query = { ...view.query, ...(stale && { stale: "" }) };
  return { type, view: { ...view, query }, datacenter, token, http };
}

/** "" when it was not given. */
function taken(left: Values, name: string): string {
  const value = left[name] ?? "";
  if (typeof value !== "string") throw new ParseFailure(`Expecting ${name} to be a string`);
  delete left[name];
  return value;
}

const texts = ["key", "prefix", "service", "state", "name", "service_id"];
const ofType: Readonly<Record<string, readonly string[]>> = {
  key: ["key"],
  keyprefix: ["prefix"],
  service: ["service", "tag", "passingonly"],
  checks: ["service", "state"],
  event: ["name"],
  agent_service: ["service_id"],
};

interface ViewParameters {
  stale: boolean;
  parameters: Record<string, string | readonly string[]>;
}

function viewParameters(left: Values, type: string): ViewParameters {
  const stale = type !== "event" && type !== "agent_service" && truth(left, "stale");
  const parameters: ViewParameters["parameters"] = {};
  for (const name of ofType[type] ?? []) {
    if (left[name] === undefined) continue;
    if (texts.includes(name)) {
      const text = taken(left, name);
      if (text !== "") parameters[name] = text;
    } else if (name === "tag") parameters["tag"] = tagsOf(left);
    else parameters[name] = String(truth(left, name));
  }
  return { stale, parameters };
}

function truth(left: Values, name: string): boolean {
  const value = left[name] ?? false;
  if (typeof value !== "boolean") throw new ParseFailure(`Expecting ${name} to be a boolean`);
  delete left[name];
  return value;
}

function tagsOf(left: Values): readonly string[] {
  const { tag } = left;
  const tags = typeof tag === "string" ? [tag] : tag;
  if (!isTexts(tags)) throw new ParseFailure("Expecting tag to be a string or []string");
  delete left["tag"];
  return tags;
}

function viewOf(type: string, parameters: ViewParameters["parameters"]): View {
  try {
    return agentViewFrom(type, parameters);
  } catch (failure) {
    if (!(failure instanceof WatchError)) throw failure;
    throw new ParseFailure(failure.message);
  }
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((one) => typeof one === "string");
}

function scriptOf({ handler, args, handler_type: kind }: Readonly<Values>): ScriptHandler {
  if (handler !== undefined && typeof handler !== "string") {
    throw new WatchError("Watch handler must be a string");
  }
  // A list of one came as its item.
  const words = typeof args === "string" ? [args] : args;
  if (words !== undefined && !isTexts(words)) {
    throw new WatchError("Watch args must be a list of strings");
  }
  if (handler !== undefined && words !== undefined) {
    throw new WatchError("Only one watch handler allowed");
  }
  const command = words ?? handler;
  if (command === undefined || command.length === 0 || kind === "http") {
    throw new WatchError("Must define a watch handler");
  }
  return { kind: "script", command };
}

function httpOf(left: Values): HttpHandler {
  const config = left["http_handler_config"];
  if (config === undefined) {
    throw new ParseFailure("Handler type 'http' requires 'http_handler_config' to be set");
  }
  const failed = (reason: string): ParseFailure =>
    new ParseFailure(`Failed to parse 'http_handler_config': ${reason}`);
  if (!isRecord(config)) throw failed("it must be an object");
  const names = ["path", "method", "timeout", "header", "tls_skip_verify"];
  const unknown = Object.keys(config).find((name) => !names.includes(name));
  if (unknown !== undefined) throw failed(`invalid key ${unknown}`);
  if (left["handler"] !== undefined || left["args"] !== undefined) {
    throw new WatchError("Only one watch handler allowed");
  }
  const {
    path,
    method = "POST",
    timeout = "",
    header = {},
    tls_skip_verify: skip = false,
  } = config;
  if (typeof path !== "string" || path === "") throw failed("Requires 'path' to be set");
  if (typeof method !== "string" || typeof timeout !== "string" || typeof skip !== "boolean") {
    throw failed("'method' and 'timeout' must be strings, 'tls_skip_verify' a boolean");
  }
  const timeoutMs = timeout === "" ? httpTimeoutMsDefault : timeoutOf(timeout, failed);
  if (!URL.canParse(path)) throw failed(`'path' is no URL: ${path}`);
  delete left["http_handler_config"];
  const headers = headersOf(header, failed);
  return { kind: "http", url: path, method, timeoutMs, headers, tlsSkipVerify: skip };
}

function timeoutOf(text: string, failed: (reason: string) => ParseFailure): number {
  try {
    return parseDurationMs(text);
  } catch (failure) {
    if (!(failure instanceof DurationError)) throw failure;
    throw failed(`Failed to parse timeout: ${failure.message}`);
  }
}

function headersOf(
  given: unknown,
  failed: (reason: string) => ParseFailure,
): HttpHandler["headers"] {
  if (!isRecord(given)) throw failed("'header' must be an object");
  const entries = Object.entries(given).map(([name, value]): [string, string[]] => {
    const values = typeof value === "string" ? [value] : value;
    if (!isTexts(values)) throw failed(`'header[${name}]' must be a list of strings`);
    return [name, values];
  });
  return Object.fromEntries(entries);
}

/** As Go's `%#v` prints it; `bare` without quotes. */
function shown(value: unknown, bare = false): string {
  if (typeof value === "string") return bare ? value : JSON.stringify(value);
  if (Array.isArray(value)) return `[]interface {}{${value.map((one) => shown(one)).join(", ")}}`;
  if (!isRecord(value)) return String(value);
  const members = Object.entries(value).toSorted(([one], [other]) => (one < other ? -1 : 1));
  const pairs = members.map(([name, one]) => `${JSON.stringify(name)}:${shown(one)}`);
  return `map[string]interface {}{${pairs.join(", ")}}`;
}
