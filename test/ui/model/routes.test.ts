// Bookmarks of Consul's UI, of every version of it, and what they open here.

import { describe, expect, test } from "vitest";

import { noQuery, pathInHash, pathOf, routeOf } from "../../../src/ui/routes.ts";
import type { Area, ListQuery, Route, ServiceTab } from "../../../src/ui/routes.ts";

const services = (dc: string, query: Partial<ListQuery> = {}): Route => ({
  ...{ page: "services", dc },
  query: { ...noQuery, ...query },
});
const service = (
  name: string,
  instance: { node: string; id: string } | null = null,
  tab: ServiceTab = "instances",
  query: Partial<ListQuery> = {},
): Route => ({
  ...{ page: "service", dc: "dc1", service: name, tab, instance },
  query: { ...noQuery, ...query },
});
const elsewhere = (area: Area): Route => ({ page: "elsewhere", dc: "dc1", area });
const folder = (prefix: string, query: Partial<ListQuery> = {}): Route => ({
  ...{ page: "folder", dc: "dc1", prefix },
  query: { ...noQuery, ...query },
});
const key = (name: string): Route => ({ page: "key", dc: "dc1", key: name });
const newKey = (prefix: string): Route => ({ page: "new-key", dc: "dc1", prefix });
const at = (node: string, id: string): { node: string; id: string } => ({ node, id });

/** Path below `/ui/`, as browsers have it, and what it opens. */
const links: [string, Route][] = [
  ["", { page: "start" }],
  ["dc1", services("dc1")],
  ["dc1/", services("dc1")],
  ["dc1/services", services("dc1")],
  ["dc1/services/", services("dc1")],
  ["my-dc_2/services", services("my-dc_2")],
  ["dc1/services?filter=web", services("dc1", { filter: "web" })],
  ["dc1/services?s=x&filter=a+b", services("dc1", { filter: "a b" })],
  ["dc1/services?search=web", services("dc1", { filter: "web" })],
  ["dc1/services?status=critical", services("dc1", { filter: "status:critical" })],
  ["dc1/services?status=critical,warning", services("dc1", { filter: "status:critical,warning" })],
  ["dc1/services?filter=web&kind=service", services("dc1", { filter: "web kind:service" })],
  ["dc1/services?source=nomad", services("dc1", { filter: "source:nomad" })],
  ["dc1/services?sort=Name%3Adesc", services("dc1", { sort: "name:desc" })],
  ["dc1/services?sort=Status:asc", services("dc1", { sort: "status:asc" })],
  ["dc1/services?sort=name", services("dc1", { sort: "name:asc" })],
  ["dc1/services?searchproperty=Name,Tags", services("dc1")],
  ["_default/~default/dc1/services", services("dc1")],
  ["~default/dc1/services", services("dc1")],
  ["~team-1/dc1/services/web", service("web")],
  ["_default/dc1/services/web", service("web")],
  ["_odd/services", services("_odd")],
  ["dc1/services/web", service("web")],
  ["dc1/services/web/", service("web")],
  ["dc1/services/web/instances", service("web")],
  ["dc1/services/web/topology", service("web")],
  ["dc1/services/web/intentions", service("web")],
  ["dc1/services/web/services", service("web")],
  ["dc1/services/web/upstreams", service("web")],
  ["dc1/services/web/routing", service("web")],
  ["dc1/services/web/tags", service("web", null, "tags")],
  [
    "dc1/services/web/instances?filter=node:a",
    service("web", null, "instances", { filter: "node:a" }),
  ],
  ["dc1/services/web/instances/node-1/web-1", service("web", at("node-1", "web-1"))],
  ["dc1/services/web/instances/node-1/web-1/health-checks", service("web", at("node-1", "web-1"))],
  ["dc1/services/web/instances/node-1/web-1/upstreams", service("web", at("node-1", "web-1"))],
  ["dc1/services/web/instances/node-1/web-1/exposed-paths", service("web", at("node-1", "web-1"))],
  ["dc1/services/web/instances/node-1/web-1/addresses", service("web", at("node-1", "web-1"))],
  ["dc1/services/web/instances/node-1/web-1/metadata", service("web", at("node-1", "web-1"))],
  ["dc1/services/web/instances/node-1/web-1/tags-and-meta", service("web", at("node-1", "web-1"))],
  ["dc1/services/web/node-1/web-1", service("web", at("node-1", "web-1"))],
  ["dc1/services/a%2Fb", service("a/b")],
  ["dc1/services/a%20b%3Fc%23d", service("a b?c#d")],
  ["dc1/services/100%", service("100%")],
  ["dc1/services/%E4%B8%AD%E6%96%87", service("中文")],
  ["dc1/services/instances", service("instances")],
  ["dc1/services/web/instances/a%2Fb/c%2Fd", service("web", at("a/b", "c/d"))],
  ["dc1/services/services/instances", service("services")],
  ["dc1/nodes", elsewhere("nodes")],
  ["dc1/nodes/node-1", elsewhere("nodes")],
  ["dc1/nodes/node-1/health-checks", elsewhere("nodes")],
  ["dc1/nodes/node-1/service-instances", elsewhere("nodes")],
  ["dc1/nodes/node-1/services", elsewhere("nodes")],
  ["dc1/nodes/node-1/round-trip-time", elsewhere("nodes")],
  ["dc1/nodes/node-1/lock-sessions", elsewhere("nodes")],
  ["dc1/nodes/node-1/metadata", elsewhere("nodes")],
  ["_default/~default/dc1/nodes", elsewhere("nodes")],
  ["dc1/kv", folder("")],
  ["dc1/kv/", folder("")],
  ["dc1/kv/create", newKey("")],
  ["dc1/kv/app/", folder("app/")],
  ["dc1/kv/app", folder("app/")],
  ["dc1/kv/app/web", folder("app/web/")],
  ["dc1/kv/app/?filter=a", folder("app/", { filter: "a" })],
  ["dc1/kv/app/create", newKey("app/")],
  ["dc1/kv/app/web.json/edit", key("app/web.json")],
  ["dc1/kv/a/edit/edit", key("a/edit")],
  ["dc1/kv/create/edit", key("create")],
  ["dc1/kv/edit", folder("edit/")],
  ["dc1/kv/a%2Fb/edit", key("a/b")],
  ["dc1/kv/a%20b/%3F/edit", key("a b/?")],
  ["~default/dc1/kv/a/edit", key("a")],
  ["_default/~default/dc1/kv/a/", folder("a/")],
  ["dc1/intentions", elsewhere("intentions")],
  ["dc1/intentions/create", elsewhere("intentions")],
  ["dc1/intentions/8f246b77-f3e1-ff88-5b48-8ec93abf3e05", elsewhere("intentions")],
  ["dc1/intentions/default:default:web:default:default:db", elsewhere("intentions")],
  ["dc1/acls", elsewhere("acls")],
  ["dc1/acls/tokens", elsewhere("acls")],
  ["dc1/acls/tokens/create", elsewhere("acls")],
  ["dc1/acls/tokens/6a1253d2-1785-24fd-91c2-f8e78c745511", elsewhere("acls")],
  ["dc1/acls/policies", elsewhere("acls")],
  ["dc1/acls/policies/create", elsewhere("acls")],
  ["dc1/acls/roles", elsewhere("acls")],
  ["dc1/acls/auth-methods/minikube/binding-rules", elsewhere("acls")],
  ["dc1/peers", elsewhere("peers")],
  ["dc1/peers/east/imported-services", elsewhere("peers")],
  ["dc1/overview/server-status", elsewhere("overview")],
  ["dc1/overview/catalog-health", elsewhere("overview")],
  ["dc1/routing-config/web", elsewhere("routing-config")],
  ["settings", { page: "settings" }],
  ["setting", { page: "settings" }],
  ["dc1/nonsense/x", { page: "unknown", path: "dc1/nonsense/x" }],
];

test(`${links.length} links of Consul's UI open what they are about`, () => {
  expect(links.length).toBeGreaterThanOrEqual(80);
  for (const [link, route] of links) {
    const [path = "", search] = link.split("?");
    expect(routeOf(path, search === undefined ? "" : `?${search}`), link).toEqual(route);
  }
});

test.each(["dc1/services/web", "dc1/kv/a/edit", ""])("before Consul 1.1 it was #/%s", (path) => {
  expect(pathInHash(`#/${path}`)).toBe(path);
  expect(pathInHash(`#${path}`)).toBe("");
});

describe("what is linked is read again", () => {
  const names = [
    "web",
    "a/b",
    "a b",
    "100%",
    "?#&",
    "instances",
    "..",
    ".",
    "中文",
    "a\u202Eb",
    "_x",
    "~y",
  ];
  const read = (route: Route): Route => {
    const { pathname, search } = new URL(pathOf(route), "http://agent/ui/");
    return routeOf(pathname.slice("/ui/".length), search);
  };

  test.each([...names, "a//b", "/", "//", "a/edit", "edit", "create", "a/../b", "a/.", "․", "․0"])(
    "the key %j",
    (name) => {
      expect(read(key(name))).toEqual(key(name));
      expect(read(folder(`${name}/`))).toEqual(folder(`${name}/`));
      expect(read(newKey(`${name}/`))).toEqual(newKey(`${name}/`));
    },
  );

  test.each(names)("%j", (name) => {
    for (const tab of ["instances", "tags"] as const) {
      for (const instance of [null, at(name, name)]) {
        const route = service(name, instance, instance ? "instances" : tab, {
          filter: `${name} -x:"y" /z/`,
          sort: "name:desc",
        });
        expect(read(route)).toEqual(route);
      }
    }
  });
});
