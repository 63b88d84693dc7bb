// Who may import whom. The compiler keeps runtimes apart (tsconfig.*.json); this keeps folders apart.

import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { expect, test } from "vitest";

interface Layer {
  /** Own folders and files that may be imported, as path prefixes. */
  own: string[];
  /** Packages and built-in modules, as prefixes. */
  packages: string[];
  reason: string;
}

const model = ["src/core/model", "src/core/lib"];
const worker = ["cloudflare:"];

/** The longest matching prefix decides. `own` always includes the layer itself. */
const layers: Record<string, Layer> = {
  "src/core/acl": {
    own: model,
    packages: [],
    reason: "the language of permissions, and nothing else",
  },
  "src/core/lib": { own: [], packages: ["re2js"], reason: "a leaf" },
  "src/core/model": {
    own: ["src/core/lib"],
    packages: ["@noble/hashes"],
    reason: "vocabulary depends on nothing",
  },
  "src/core/raft": {
    own: ["src/core/lib"],
    packages: [],
    reason: "consensus does not know what it replicates",
  },
  "src/core/state": {
    own: [...model, "src/core/acl"],
    packages: ["@noble/hashes"],
    reason: "the state machine does not know who orders its commands",
  },
  "src/core/gossip": { own: model, packages: [], reason: "formulas only" },
  "src/core/agent": { own: model, packages: [], reason: "host agent and EdgeAgent share it" },
  "src/core/dns": {
    own: model,
    packages: ["@leichtgewicht/dns-packet"],
    reason: "one resolver for the edge and for hosts",
  },
  "src/ports/cluster.ts": {
    own: [...model, "src/core/state"],
    packages: [],
    reason: "the seam between asking and replication",
  },
  "src/ports/local-agent.ts": {
    own: [...model, "src/core/agent"],
    packages: [],
    reason: "the seam between routes and agent",
  },
  "durable/platform/node": {
    own: ["src/core/lib", "src/ports", "src/link", "durable"],
    packages: ["node:", "ws"],
    reason: "the platform port in a Node process",
  },
  "src/ports/deployment-keys.ts": { own: [], packages: [], reason: "a leaf" },
  "src/ports/deployment-objects.ts": { own: [], packages: [], reason: "a leaf" },
  "src/ports/default-token.ts": {
    own: ["src/ports/cluster.ts"],
    packages: [],
    reason: "the same port with a token",
  },
  "src/ports/leaf-source.ts": { own: [], packages: [], reason: "a leaf" },
  "src/ports/timers.ts": { own: [], packages: [], reason: "a leaf" },
  "src/dns-source.ts": {
    own: [...model, "src/core/dns", "src/core/state", "src/ports/cluster.ts"],
    packages: [],
    reason: "runs the resolver against a cluster, wherever",
  },
  "src/members.ts": {
    own: [...model, "src/ports/cluster.ts", "src/ports/local-agent.ts"],
    packages: [],
    reason: "the same list of members on hosts and at the edge",
  },
  "src/ui-files.ts": { own: [], packages: [], reason: "a leaf: agents and the Worker" },
  "src/ui": {
    own: [...model, "src/client"],
    packages: ["preact", "@preact/signals"],
    reason: "what browsers run knows the public API, and nothing imports it",
  },
  "src/link": {
    own: [...model, "src/core/state", "src/ports/cluster.ts", "src/ports/timers.ts"],
    packages: [],
    reason: "runs in Node and in Workers",
  },
  "src/connect": {
    own: [...model, "src/core/state", "src/ports"],
    packages: ["@peculiar/x509", "reflect-metadata"],
    reason: "certificates are made in Node and in Workers, by agents and by the leader",
  },
  "src/archive-file": {
    own: model,
    packages: ["@noble/hashes"],
    reason: "an archive is the same file for the API and for the command line",
  },
  "src/api": {
    own: [
      ...model,
      "src/archive-file",
      "src/core/acl",
      "src/core/state",
      "src/core/agent",
      "src/ports/cluster.ts",
      "src/ports/local-agent.ts",
      "src/ports/leaf-source.ts",
      "src/ports/deployment-keys.ts",
      "src/ports/deployment-objects.ts",
    ],
    packages: ["hono", "@noble/hashes", "openapi3-ts"],
    reason: "routes see ports, so they are tested with fakes and never hold a stub",
  },
  "edge-dns": {
    own: [...model, "src/core/dns", "src/ports/cluster.ts", "src/dns-source.ts"],
    packages: ["hono", "@leichtgewicht/dns-packet"],
    reason: "framing around the resolver",
  },
  durable: {
    own: ["src/core", "src/ports", "src/members.ts", "src/link", "src/connect"],
    packages: [],
    reason: "objects see the platform port, so that they run on every host of it",
  },
  "durable/leader/auth": {
    own: ["src/core", "src/connect", "durable"],
    packages: ["jose"],
    reason: "what verifies tokens is in one room",
  },
  "durable/platform/cloudflare": {
    own: ["src/core/lib", "src/ports", "src/link", "durable"],
    packages: worker,
    reason: "the platform port on Durable Objects",
  },
  "src/index.ts": {
    own: [
      "src/api",
      "src/ports/cluster.ts",
      "src/ports/local-agent.ts",
      "src/core/model",
      "src/core/dns",
      "src/install",
      "src/ui-files.ts",
      "durable",
      "edge-dns",
    ],
    packages: ["hono", ...worker],
    reason: "the composition root: the only file that sees both sides",
  },
  "src/client": {
    own: [...model, "src/api/openapi"],
    packages: [],
    reason: "runs wherever fetch does, and knows of routes what the compiler knows",
  },
  "src/agent": {
    own: [
      ...model,
      "src/core/acl",
      "src/core/agent",
      "src/core/dns",
      "src/core/gossip",
      "src/ports",
      "src/dns-source.ts",
      "src/members.ts",
      "src/ports/local-agent.ts",
      "src/link",
      "src/connect",
      "src/api",
      "src/client",
      "src/ui-files.ts",
    ],
    packages: [
      "node:",
      "hono",
      "@hono/node-server",
      "@leichtgewicht/dns-packet",
      "ws",
      "workerd",
      "miniflare",
      "esbuild",
      "ipaddr.js",
    ],
    reason:
      "a host must not contain a server: it starts one as a process, by file name, never by import",
  },
  "src/agent/servers/node.ts": {
    own: ["src/agent", "durable/platform/node"],
    packages: [],
    reason: "the one file by which an agent may have servers in its own process, loaded only then",
  },
  "src/cli": {
    own: [
      ...model,
      "src/core/acl",
      "src/archive-file",
      "src/client",
      "src/agent",
      "src/members.ts",
      "src/install",
      "src/connect/agent-certificates.ts",
    ],
    packages: ["node:"],
    reason: "what scripts see is the public API",
  },
  "src/install": { own: [], packages: [], reason: "a leaf: Worker, deployer and command line" },
  "src/deploy": {
    own: [...model, "src/install"],
    packages: ["node:", "wrangler"],
    reason: "it sees a deployment from outside, as its deployer does",
  },
};

const importPattern =
  /(?:^|\n)\s*(?:import|export)\b[^"';]*?from\s*"([^"]+)"|import\(\s*"([^"]+)"\s*\)|(?:^|\n)import\s+"([^"]+)"/g;

function filesUnder(root: string): string[] {
  if (!existsSync(root)) return [];
  if (statSync(root).isFile()) return [root];
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter(
      (entry) => entry.isFile() && /\.tsx?$/.test(entry.name) && !entry.name.endsWith(".d.ts"),
    )
    .map((entry) => join(entry.parentPath, entry.name));
}

function within(path: string, prefix: string): boolean {
  return path === prefix || path.startsWith(`${prefix}/`);
}

function layerOf(path: string): string | undefined {
  return Object.keys(layers)
    .filter((prefix) => within(path, prefix))
    .toSorted((a, b) => b.length - a.length)[0];
}

function violations(path: string, text: string): string[] {
  const name = layerOf(path);
  const layer = name === undefined ? undefined : layers[name];
  if (!name || !layer) return [`${path} belongs to no layer`];
  return [...text.matchAll(importPattern)].flatMap((match) => {
    const target = match[1] ?? match[2] ?? match[3] ?? "";
    if (!target.startsWith(".")) {
      const allowed = layer.packages.some(
        (prefix) => target === prefix || target.startsWith(prefix),
      );
      return allowed ? [] : [`${path} imports ${target}: ${layer.reason}`];
    }
    const resolved = normalize(join(dirname(path), target));
    const allowed = [name, ...layer.own].some((prefix) => within(resolved, prefix));
    return allowed ? [] : [`${path} imports ${resolved}: ${layer.reason}`];
  });
}

test("imports keep to the layers", () => {
  const files = ["src", "durable", "edge-dns"].flatMap(filesUnder);
  expect(files.length).toBeGreaterThan(50);
  expect(files.flatMap((path) => violations(path, readFileSync(path, "utf8")))).toEqual([]);
});

test("the check catches what it is for", () => {
  expect(
    violations("src/api/kv.ts", 'import { Server } from "../../durable/server.ts";'),
  ).toHaveLength(1);
  expect(
    violations("src/core/raft/log.ts", 'import type { A } from "../state/kv.ts";'),
  ).toHaveLength(1);
  expect(violations("src/core/model/json.ts", 'import fs from "node:fs";')).toHaveLength(1);
  expect(violations("src/agent/main.ts", 'await import("../../durable/server.ts")')).toHaveLength(
    1,
  );
  expect(violations("src/core/state/kv.ts", 'import { assert } from "../lib/assert.ts";')).toEqual(
    [],
  );
});

/** Files by path → the files of ours that each imports, types included. */
function importGraph(files: ReadonlyMap<string, string>): Map<string, string[]> {
  const graph = new Map<string, string[]>();
  for (const [path, text] of files) {
    const targets = [...text.matchAll(importPattern)]
      .map((match) => match[1] ?? match[2] ?? match[3] ?? "")
      .filter((target) => target.startsWith("."))
      .map((target) => normalize(join(dirname(path), target)))
      .filter((target) => files.has(target));
    graph.set(path, [...new Set(targets)].toSorted());
  }
  return graph;
}

/** One circle for each place where the search runs into its own path, as `a → b → a`. */
function circles(graph: ReadonlyMap<string, readonly string[]>): string[] {
  const found: string[] = [];
  const finished = new Set<string>();
  const path: string[] = [];
  const visit = (file: string): void => {
    const at = path.indexOf(file);
    if (at >= 0) found.push([...path.slice(at), file].join(" → "));
    if (at >= 0 || finished.has(file)) return;
    path.push(file);
    for (const target of graph.get(file) ?? []) visit(target);
    path.pop();
    finished.add(file);
  };
  for (const file of [...graph.keys()].toSorted()) visit(file);
  return found;
}

test("no file imports itself by way of others, not even types", () => {
  const paths = ["src", "durable", "edge-dns", "test"].flatMap(filesUnder);
  const files = new Map(paths.map((path) => [path, readFileSync(path, "utf8")]));
  const graph = importGraph(files);
  expect([...graph.values()].flat().length).toBeGreaterThan(300);
  expect(circles(graph)).toEqual([]);
});

test("the check for circles finds one, of types too", () => {
  const planted = new Map([
    ["src/a.ts", 'import type { B } from "./b/b.ts";\n'],
    ["src/b/b.ts", 'export { c } from "../c.ts";\n'],
    ["src/c.ts", 'import { d } from "./d.ts";\nimport { type A } from "./a.ts";\n'],
    ["src/d.ts", "export const d = 1;\n"],
  ]);
  expect(circles(importGraph(planted))).toEqual(["src/a.ts → src/b/b.ts → src/c.ts → src/a.ts"]);
  planted.set("src/c.ts", 'import { d } from "./d.ts";\n');
  expect(circles(importGraph(planted))).toEqual([]);
});

test("nothing outside test imports test", () => {
  const culprits = ["src", "durable", "edge-dns"]
    .flatMap(filesUnder)
    .filter((path) => /from "(\.\.\/)+test\//.test(readFileSync(path, "utf8")));
  expect(culprits).toEqual([]);
});
