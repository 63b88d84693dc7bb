// What makes a `service-router` entry acceptable.

import type { HttpMatch, ServiceRoute, ServiceRouter } from "./types.ts";

export function normalizeRouter(entry: ServiceRouter): ServiceRouter {
  return { ...entry, Routes: entry.Routes?.map(normalizeRoute) ?? null };
}

/** Methods are upper case. Consul names the namespace of a destination only where there are methods. */
function normalizeRoute(route: ServiceRoute): ServiceRoute {
  const match = route.Match?.HTTP;
  if (!match?.Methods || match.Methods.length === 0) return route;
  const Methods = match.Methods.map((method) => method.toUpperCase());
  const { Destination: destination } = route;
  return {
    Match: { HTTP: { ...match, Methods } },
    Destination: destination && { ...destination, Namespace: destination.Namespace || "default" },
  };
}

/** Why the entry is refused; null when it is fine. */
export function routerProblem({ Routes: routes }: ServiceRouter): string | null {
  for (const [at, route] of (routes ?? []).entries()) {
    const problem = routeProblem(route);
    if (problem !== null) return `Route[${at}] ${problem}`;
  }
  return null;
}

function routeProblem({ Match: match, Destination: destination }: ServiceRoute): string | null {
  const http = match?.HTTP;
  const problem = http ? matchProblem(http) : null;
  if (problem !== null) return problem;
  const hasPath = http && (http.PathExact !== "" || http.PathPrefix !== "");
  if (destination && destination.PrefixRewrite !== "" && !hasPath) {
    return "cannot make use of PrefixRewrite without configuring either PathExact or PathPrefix";
  }
  return null;
}

function matchProblem(match: HttpMatch): string | null {
  return (
    pathProblem(match) ??
    headerProblem(match) ??
    queryParamProblem(match) ??
    methodsProblem(match.Methods ?? [])
  );
}

function pathProblem({ PathExact, PathPrefix, PathRegex }: HttpMatch): string | null {
  for (const [field, path] of Object.entries({ PathExact, PathPrefix })) {
    if (path === "" || path.startsWith("/")) continue;
    return `${field} doesn't start with '/': ${JSON.stringify(path)}`;
  }
  return countSet(PathExact, PathPrefix, PathRegex) > 1
    ? "should only contain at most one of PathExact, PathPrefix, or PathRegex"
    : null;
}

function headerProblem({ Header: headers }: HttpMatch): string | null {
  for (const [at, header] of (headers ?? []).entries()) {
    if (header.Name === "") return `Header[${at}] missing required Name field`;
    const { Present, Exact, Regex, Prefix, Suffix } = header;
    if (countSet(Present, Exact, Regex, Prefix, Suffix) !== 1) {
      return `Header[${at}] should only contain one of Present, Exact, Prefix, Suffix, or Regex`;
    }
  }
  return null;
}

function queryParamProblem({ QueryParam: parameters }: HttpMatch): string | null {
  for (const [at, parameter] of (parameters ?? []).entries()) {
    if (parameter.Name === "") return `QueryParam[${at}] missing required Name field`;
    if (countSet(parameter.Present, parameter.Exact, parameter.Regex) !== 1) {
      return `QueryParam[${at}] should only contain one of Present, Exact, or Regex`;
    }
  }
  return null;
}

function methodsProblem(methods: readonly string[]): string | null {
  const repeated = methods.find((method, at) => methods.indexOf(method) !== at);
  return repeated === undefined
    ? null
    : `Methods contains ${JSON.stringify(repeated)} more than once`;
}

function countSet(...values: readonly (string | boolean)[]): number {
  return values.filter((value) => value !== "" && value !== false).length;
}

/** Services that the entry leads to, itself included: what its routes do not match goes there. */
export function servicesOfRouter({ Name: name, Routes: routes }: ServiceRouter): string[] {
  const named = (routes ?? []).map((route) => route.Destination?.Service ?? "");
  return [name, ...named.filter((service) => service !== "")];
}
