// Which address shows what: every path of Consul's UI from its first to its latest version, below the UI's own path.
// Pure, so that links are made by the same table that reads them.

export type ServiceTab = "instances" | "tags";

/** What a list shows of all that there is, as the address says it. */
export interface ListQuery {
  /** In the language of `model/filter.ts`. */
  filter: string;
  /** `COLUMN:asc` or `COLUMN:desc`; "" for the page's own order. */
  sort: string;
}

export type Route =
  /** Leads to the services of the agent's own datacenter. */
  | { page: "start" }
  | { page: "services"; dc: string; query: ListQuery }
  | {
      page: "service";
      dc: string;
      service: string;
      tab: ServiceTab;
      /** Shown beside the list. */
      instance: { node: string; id: string } | null;
      query: ListQuery;
    }
  /** A folder of keys: "" or a prefix that ends with a slash. */
  | { page: "folder"; dc: string; prefix: string; query: ListQuery }
  | { page: "key"; dc: string; key: string }
  | { page: "new-key"; dc: string; prefix: string }
  | { page: "settings" }
  /** Consul's UI has a page here, and this one has not: `area` says of what. */
  | { page: "elsewhere"; dc: string; area: Area }
  | { page: "unknown"; path: string };

export type ServiceRoute = Extract<Route, { page: "service" }>;

export type Area = "nodes" | "intentions" | "acls" | "peers" | "overview" | "routing-config";

export const noQuery: ListQuery = { filter: "", sort: "" };

const areas: Readonly<Record<string, Area>> = {
  nodes: "nodes",
  intentions: "intentions",
  acls: "acls",
  peers: "peers",
  overview: "overview",
  "routing-config": "routing-config",
};

/** `path`: below the UI's own, without a slash before it, as sent. `search`: with its question mark, or "". */
export function routeOf(path: string, search = ""): Route {
  const segments = path.replace(/\/$/, "").split("/").map(decoded);
  const own = withoutNames(segments);
  const [dc = "", page = "services", ...rest] = own;
  if (dc === "") return { page: "start" };
  if (dc === "settings" || dc === "setting") return { page: "settings" };
  const query = listQuery(search);
  if (page === "services") return serviceRoute(dc, rest, query);
  if (page === "kv") return keyRoute(dc, path.endsWith("/") ? [...rest, ""] : rest, query);
  const area = Object.hasOwn(areas, page) ? areas[page] : undefined;
  return area ? { page: "elsewhere", dc, area } : { page: "unknown", path };
}

/** Links of before Consul 1.1 have their path behind a `#`. "" for any other fragment. */
export function pathInHash(hash: string): string {
  return hash.startsWith("#/") ? hash.slice(2) : "";
}

/** A path as {@link routeOf} reads it, with its query. */
export function pathOf(route: Route): string {
  switch (route.page) {
    case "start":
      return "";
    case "services":
      return joined([route.dc, "services"]) + searchOf(route.query);
    case "service":
      return joined(serviceSegments(route)) + searchOf(route.query);
    case "folder":
      return `${joined([route.dc, "kv", ...route.prefix.split("/").slice(0, -1)])}/${searchOf(route.query)}`;
    case "key":
      return joined([route.dc, "kv", ...route.key.split("/"), "edit"]);
    case "new-key":
      return joined([route.dc, "kv", ...route.prefix.split("/").slice(0, -1), "create"]);
    case "settings":
      return "settings";
    case "elsewhere":
      return joined([route.dc, route.area]);
    case "unknown":
      return route.path;
    default:
      return route satisfies never;
  }
}

function serviceRoute(dc: string, rest: string[], query: ListQuery): Route {
  const [service = "", first, second, third] = rest;
  if (service === "") return { page: "services", dc, query };
  const at = { page: "service", dc, service, query } as const;
  if (first === "instances" && second !== undefined && third !== undefined) {
    return { ...at, tab: "instances", instance: { node: second, id: third } };
  }
  if (first === undefined || isTab(first)) {
    return { ...at, tab: first === "tags" ? "tags" : "instances", instance: null };
  }
  // Before Consul 1.7 an instance had no word before it.
  if (second !== undefined) {
    return { ...at, tab: "instances", instance: { node: first, id: second } };
  }
  return { ...at, tab: "instances", instance: null };
}

/** Only the last segment is a word of the UI's: the key `a/edit` is at `a/edit/edit`. */
function keyRoute(dc: string, rest: readonly string[], query: ListQuery): Route {
  const before = rest.slice(0, -1);
  if (rest.at(-1) === "edit" && before.length > 0) {
    return { page: "key", dc, key: before.join("/") };
  }
  const folder = (segments: readonly string[]): string =>
    segments.map((segment) => `${segment}/`).join("");
  if (rest.at(-1) === "create") return { page: "new-key", dc, prefix: folder(before) };
  // A folder of Consul's may be without its final slash.
  return { page: "folder", dc, prefix: folder(rest.at(-1) === "" ? before : rest), query };
}

/** Consul's tabs of a service. What some of them show is on our first one. */
const consulTabs = new Set([
  "instances",
  "topology",
  "intentions",
  "services",
  "upstreams",
  "routing",
  "tags",
]);

function isTab(segment: string): boolean {
  return consulTabs.has(segment);
}

function serviceSegments(route: ServiceRoute): string[] {
  const { dc, service, tab, instance } = route;
  const own = [dc, "services", service];
  if (instance) return [...own, "instances", instance.node, instance.id];
  return tab === "tags" ? [...own, "tags"] : [...own, "instances"];
}

/** Without a partition (`_default`) and a namespace (`~default`), which Consul Enterprise puts before the rest. */
function withoutNames(segments: readonly string[]): string[] {
  const [first = "", second = ""] = segments;
  const isPartition = first.startsWith("_") && second !== "" && !isPage(second);
  const rest = isPartition ? segments.slice(1) : [...segments];
  return rest[0]?.startsWith("~") === true ? rest.slice(1) : rest;
}

function isPage(segment: string): boolean {
  return segment === "services" || segment === "kv" || Object.hasOwn(areas, segment);
}

/** Consul's own parameters become terms of ours; what they filter by stays in the address. */
function listQuery(search: string): ListQuery {
  const parameters = new URLSearchParams(search);
  const terms = [parameters.get("filter") ?? parameters.get("search") ?? ""];
  for (const name of ["status", "kind", "source"]) {
    const value = parameters.get(name) ?? "";
    if (value !== "") terms.push(`${name}:${value}`);
  }
  const [column = "", direction = ""] = (parameters.get("sort") ?? "").toLowerCase().split(":");
  const sort = column === "" ? "" : `${column}:${direction === "desc" ? "desc" : "asc"}`;
  return { filter: terms.filter((term) => term !== "").join(" "), sort };
}

function searchOf({ filter, sort }: ListQuery): string {
  const parameters = new URLSearchParams();
  if (filter !== "") parameters.set("filter", filter);
  if (sort !== "") parameters.set("sort", sort);
  const text = parameters.toString();
  return text === "" ? "" : `?${text}`;
}

function joined(segments: readonly string[]): string {
  return segments.map((segment) => encodeURIComponent(escaped(segment))).join("/");
}

const escape = "․";
const special: Readonly<Record<string, string>> = { "": "0", ".": "1", "..": "2" };

/** No encoding of a segment of dots, or of nothing, survives a URL: another character and a digit stand for it. */
function escaped(segment: string): string {
  if (Object.hasOwn(special, segment)) return escape + (special[segment] ?? "");
  return segment.startsWith(escape) ? escape + segment : segment;
}

function unescaped(segment: string): string {
  if (!segment.startsWith(escape)) return segment;
  const rest = segment.slice(escape.length);
  const found = Object.entries(special).find(([, digit]) => digit === rest);
  return found ? found[0] : rest.startsWith(escape) ? rest : segment;
}

function decoded(segment: string): string {
  try {
    return unescaped(decodeURIComponent(segment));
  } catch {
    // A percent sign that begins nothing stands for itself.
    return segment;
  }
}
