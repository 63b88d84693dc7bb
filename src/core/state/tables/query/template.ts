// Templates: a query whose Service is written with the name that it is asked for by. Every text of Service is
// interpolated, those of its lists and maps too; keys of maps are not.

import { compileMatcher, RegExpFault } from "../../../lib/regexp.ts";
import { ServiceError } from "../../../model/errors.ts";
import {
  compileInterpolation,
  EvaluationFault,
  SyntaxFault,
} from "../../../model/interpolation/interpolation.ts";
import type { Scope } from "../../../model/interpolation/interpolation.ts";
import { sortedKeys } from "../../../model/json.ts";
import { limits } from "../../../model/limits.ts";
import { namePrefixMatch } from "../../../model/prepared-query.ts";
import type { PreparedQuery, ServiceQuery } from "../../../model/prepared-query.ts";

/** Refuses, in Consul's words, a template that could never be used. */
export function checkTemplate(query: PreparedQuery): void {
  try {
    renderTemplate(query, query.Name);
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error;
    throw new ServiceError("invalid", `failed compiling template: ${error.message}`);
  }
}

/** The query that a template is for a name that starts with its own. Throws ServiceError. */
export function renderTemplate(query: PreparedQuery, name: string): PreparedQuery {
  const { Template: template } = query;
  if (template.Type !== namePrefixMatch) throw invalid(`Bad Template.Type '${template.Type}'`);
  const places = compilePlaces(query.Service);
  const scope = scopeOf(query, name);
  let length = 0;
  const rendered = copyOf(query.Service);
  for (const { path, text, put, run } of places) {
    const value = evaluated(path, text, () => run(scope));
    length += value.length;
    if (length > limits.renderedQueryLengthMax) throw invalid("Rendered query is too long");
    put(rendered, value);
  }
  if (template.RemoveEmptyTags) {
    rendered.Tags = (rendered.Tags ?? []).filter((tag) => tag !== "");
  }
  return { ...query, Service: rendered };
}

function copyOf(service: ServiceQuery): ServiceQuery {
  const {
    Failover: failover,
    IgnoreCheckIDs: ignored,
    Tags: tags,
    NodeMeta,
    ServiceMeta,
  } = service;
  return {
    ...service,
    Failover: { ...failover, Datacenters: failover.Datacenters && [...failover.Datacenters] },
    IgnoreCheckIDs: ignored && [...ignored],
    Tags: tags && [...tags],
    NodeMeta: NodeMeta && { ...NodeMeta },
    ServiceMeta: ServiceMeta && { ...ServiceMeta },
  };
}

/** A text of a service query. */
interface Place {
  /** As error texts name it, behind `Service`. */
  path: string;
  text: string;
  put(target: ServiceQuery, value: string): void;
}

function compilePlaces(
  service: ServiceQuery,
): (Place & { run: ReturnType<typeof compileInterpolation> })[] {
  return placesOf(service).map((place) => {
    try {
      return { ...place, run: compileInterpolation(place.text) };
    } catch (error) {
      if (!(error instanceof SyntaxFault)) throw error;
      throw invalid(`Bad format '${place.text}' in Service${place.path}: ${error.message}`);
    }
  });
}

function evaluated(path: string, text: string, run: () => string): string {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof EvaluationFault)) throw error;
    throw invalid(`Bad evaluation for '${text}' in Service${path}: ${error.message}`);
  }
}

/** In the order in which Consul goes through them. */
function placesOf({ Failover: failover, ...service }: ServiceQuery): Place[] {
  return [
    { path: ".Service", text: service.Service, put: (to, value) => (to.Service = value) },
    ...listPlaces(".Failover.Datacenters", failover.Datacenters, (to) => to.Failover.Datacenters),
    ...listPlaces(".IgnoreCheckIDs", service.IgnoreCheckIDs, (to) => to.IgnoreCheckIDs),
    { path: ".Near", text: service.Near, put: (to, value) => (to.Near = value) },
    ...listPlaces(".Tags", service.Tags, (to) => to.Tags),
    ...mapPlaces(".NodeMeta", service.NodeMeta, (to) => to.NodeMeta),
    ...mapPlaces(".ServiceMeta", service.ServiceMeta, (to) => to.ServiceMeta),
  ];
}

function listPlaces(
  path: string,
  list: readonly string[] | null,
  listOf: (target: ServiceQuery) => string[] | null,
): Place[] {
  return (list ?? []).map((text, at) => ({
    path: `${path}[${at}]`,
    text,
    put: (target, value) => {
      const rendered = listOf(target);
      if (rendered) rendered[at] = value;
    },
  }));
}

function mapPlaces(
  path: string,
  map: Readonly<Record<string, string>> | null,
  mapOf: (target: ServiceQuery) => Record<string, string> | null,
): Place[] {
  return sortedKeys(map ?? {}).map((key) => ({
    path: `${path}[${key}]`,
    text: map?.[key] ?? "",
    put: (target, value) => {
      const rendered = mapOf(target);
      // A key may be called anything.
      if (rendered) Object.defineProperty(rendered, key, { ...ownMember, value });
    },
  }));
}

const ownMember = { configurable: true, enumerable: true, writable: true };

function scopeOf({ Name: prefix, Template: template }: PreparedQuery, name: string): Scope {
  const groups = matchesOf(template.Regexp, name);
  return {
    variables: new Map([
      ["name.full", name],
      ["name.prefix", prefix],
      // Names match in any case, but only the same spelling is cut off.
      ["name.suffix", name.startsWith(prefix) ? name.slice(prefix.length) : name],
      // There are no segments.
      ["agent.segment", ""],
    ]),
    functions: new Map([["match", (at: bigint) => (at < 0n ? "" : (groups[Number(at)] ?? ""))]]),
  };
}

function matchesOf(pattern: string, name: string): readonly string[] {
  if (pattern === "") return [];
  try {
    return compileMatcher(pattern)(name) ?? [];
  } catch (error) {
    if (!(error instanceof RegExpFault)) throw error;
    throw invalid(`Bad Regexp: error parsing regexp: ${error.message}`);
  }
}

function invalid(message: string): ServiceError {
  return new ServiceError("invalid", message);
}
