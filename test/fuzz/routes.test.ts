// Every route, asked anything: paths, queries, headers and bodies that are nearly right, and that are not. Nothing may
// be answered by an accident, and whatever was asked, the state machine goes on. `PROCONSUL_FUZZ_MS` says for how long,
// `PROCONSUL_FUZZ_SEED` what is asked.

import * as fc from "fast-check";
import { expect, test } from "vitest";

import { apiAreas } from "../../src/api/index.ts";
import type { Method } from "../../src/api/endpoint.ts";
import { AclClient, administrator } from "../support/acl-client.ts";
import { ApiClient } from "../support/api-client.ts";
import { fuzz, limitMs } from "../support/fuzz.ts";

const parts = {
  ...{ nodeName: "self", random: () => 0, uuid: () => crypto.randomUUID() },
  onError: () => undefined,
};

/** Every route that needs no agent. */
const routes: [Method, string][] = apiAreas({ ...parts, cluster: new ApiClient().cluster }).flatMap(
  (area) =>
    Object.entries(area).flatMap(([path, endpoint]) =>
      (Object.keys(endpoint) as Method[]).map((method): [Method, string] => [method, path]),
    ),
);

const name = fc.constantFrom(
  ...["web", "self", "a/b", "", "dc1", "é", "x".repeat(300), "../..", "%", "*", "global", "\0"],
  ...["00000000-0000-0000-0000-000000000001", "b8edc74d-d06d-4765-b39f-a3f497e2540d", "service"],
  ...["service-defaults", "service-router/web", "proxy-defaults/global", "any", "critical", "id"],
);

const parameter = fc.tuple(
  fc.constantFrom(
    ...["index", "wait", "stale", "consistent", "cached", "dc", "near", "filter", "tag", "cas"],
    ...["acquire", "release", "flags", "recurse", "keys", "raw", "separator", "passing", "limit"],
    ...[
      "node-meta",
      "connect",
      "by",
      "name",
      "source",
      "destination",
      "pem",
      "policy",
      "role",
      "ns",
    ],
    ...["max_stale", "replace-existing-checks", "kind", "compile-dc", "pretty", "token", "segment"],
  ),
  fc.oneof(
    fc.constantFrom("", "0", "1", "-1", "18446744073709551615", "99999999999999999999", "1s", "zz"),
    fc.constantFrom(
      "true",
      'Node == "web"',
      "Meta.a is empty",
      "((((",
      "web",
      "destination",
      "dc2",
    ),
    fc.string({ maxLength: 20 }),
  ),
);

/** Members that some body knows. */
const members = [
  ...[
    "ID",
    "Name",
    "Node",
    "Address",
    "Service",
    "Services",
    "Check",
    "Checks",
    "CheckID",
    "Rules",
  ],
  ...["Datacenter", "TaggedAddresses", "NodeMeta", "Meta", "Tags", "Port", "Weights", "Proxy"],
  ...["Upstreams", "Expose", "Connect", "SidecarService", "Kind", "KV", "Verb", "Key", "Value"],
  ...["Flags", "Session", "TTL", "LockDelay", "Behavior", "NodeChecks", "Policies", "Roles"],
  ...["ServiceIdentities", "NodeIdentities", "ExpirationTTL", "ExpirationTime", "Template", "Type"],
  ...["Regexp", "Near", "Failover", "NearestN", "DNS", "OnlyPassing", "SourceName", "Action"],
  ...[
    "DestinationName",
    "Protocol",
    "Config",
    "Routes",
    "Splits",
    "Subsets",
    "Redirect",
    "Listeners",
  ],
  ...["Definition", "Provider", "PrivateKey", "RootCert", "Coord", "Vec", "Resource", "Access"],
] as const;

const leaf = fc.oneof(
  fc.constantFrom<unknown>(null, true, 0, -1, 1e308, "", "web", "passing", "set", "10s", "allow"),
  fc.constantFrom<unknown>("service-router", "proxy-defaults", "name_prefix_match", "${match(1)}"),
  fc.constantFrom<unknown>('key_prefix "" { policy = "read" }', "self", "dc1", "get-tree", []),
  fc.string({ maxLength: 12 }),
  fc.integer(),
);

const { body: json } = fc.letrec<{ body: unknown; object: unknown; list: unknown }>((tie) => ({
  body: fc.oneof({ maxDepth: 4 }, leaf, tie("object"), tie("list")),
  object: fc.dictionary(fc.constantFrom(...members), tie("body"), { maxKeys: 6 }),
  list: fc.array(tie("body"), { maxLength: 3 }),
}));

const body = fc.oneof(
  { weight: 8, arbitrary: json.map((value) => JSON.stringify(value)) },
  { weight: 1, arbitrary: json.map((value) => JSON.stringify(value).slice(0, -1)) },
  { weight: 1, arbitrary: fc.string({ unit: "binary", maxLength: 40 }) },
  { weight: 1, arbitrary: fc.constantFrom("[".repeat(20_000), '{"a":'.repeat(5_000), "{}{}") },
);

const request = fc.record({
  route: fc.constantFrom(...routes),
  rest: fc.array(name, { maxLength: 2 }),
  query: fc.array(parameter, { maxLength: 3 }),
  body,
  token: fc.constantFrom("", administrator, "anonymous", "manage", crypto.randomUUID()),
});

type Request = typeof request extends fc.Arbitrary<infer Value> ? Value : never;

async function ask(client: ApiClient, { route, rest, query, body: text, token }: Request) {
  const [method, path] = route;
  const below = path.endsWith("/") ? rest.map(encodeURIComponent).join("/") : "";
  // A query that waits would wait for us.
  const search = new URLSearchParams([...query, ["wait", "1ms"]]).toString();
  return await client.send(method, `${path}${below}?${search}`, {
    ...(method !== "GET" && { body: text }),
    ...(token !== "" && { headers: { "X-Consul-Token": token } }),
  });
}

test.each([
  ["without ACLs", (): Promise<ApiClient> => Promise.resolve(new ApiClient())],
  ["with ACLs", (): Promise<ApiClient> => AclClient.start()],
])("%s", { timeout: limitMs }, async (how, start) => {
  const client = await start();
  await fuzz(`routes ${how}`, request, async (given) => {
    const answer = await ask(client, given);
    expect(client.errors).toEqual([]);
    expect(answer.text).not.toBe("internal error");
    expect(answer.status).toBeGreaterThanOrEqual(200);
  });
  expect(
    (
      await client.send("PUT", "/v1/kv/z", {
        body: "1",
        headers: { "X-Consul-Token": administrator },
      })
    ).text,
  ).toContain("true");
});
