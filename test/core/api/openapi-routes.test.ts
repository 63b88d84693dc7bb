// Every operation of the document is called, and what is sent and answered is held against the document: bodies, query
// parameters, statuses, types. Members that it does not mention are refused here, though a client should ignore them.

import { Ajv2020 } from "ajv/dist/2020.js";
import { afterAll, beforeAll, expect, test, vi } from "vitest";

import { HostLeaves } from "../../../src/agent/leaf-memory.ts";
import { agentArea } from "../../../src/api/agent.ts";
import { deploymentArea } from "../../../src/api/deployment.ts";
import { deploymentKeyArea } from "../../../src/api/deployment-keys.ts";
import { createApi } from "../../../src/api/index.ts";
import { refused } from "../../../src/api/openapi/parameters.ts";
import { Query } from "../../../src/api/query.ts";
import type { DeploymentObjects } from "../../../src/ports/deployment-objects.ts";
import { MemoryAgent } from "../../agent/memory-agent.ts";
import { administrator } from "../../support/acl-client.ts";
import { ecSigner } from "../../support/issuer.ts";
import { MemoryCluster } from "../../support/memory-cluster.ts";
import { aclCalls, logins } from "../../support/openapi-acl-calls.ts";
import type { Call } from "../../support/openapi-call.ts";
import { calls } from "../../support/openapi-calls.ts";
import { newState, testNode } from "../agent/support.ts";

type Json = Record<string, unknown>;

interface Operation {
  parameters?: { $ref?: string; name?: string; in?: string }[];
  requestBody?: { required: boolean; content: Record<string, { schema: Json }> };
  responses: Record<string, { $ref?: string; content?: Record<string, { schema: Json }> }>;
}

interface Document {
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Json; parameters: Record<string, { name: string; in: string }> };
}

const cluster = new MemoryCluster({
  ...{ acl: { defaultPolicy: "deny", keyListPolicy: false }, connect: {} },
});
const agent = new MemoryAgent(newState());
agent.prometheus = "up 1\n";
agent.lines = ["one"];
const keyed = { primary: "AAAAAAAAAAAAAAAAAAAAAA==", keys: ["AAAAAAAAAAAAAAAAAAAAAA=="] };
agent.keys = { a: keyed, b: keyed };
const work = { requests: 1, workerRequests: 1, messages: 1, busyMs: 1, rowsWritten: 1 };
const objects: DeploymentObjects = {
  work: () => Promise.resolve([{ name: "dc1/server/0", kind: "server", startedMs: 1, ...work }]),
  reset: () => Promise.resolve(),
};
const keys = { seal: () => Promise.resolve("pj1_sealed") };
const errors: unknown[] = [];
const api = createApi({
  cluster,
  ...{ nodeName: testNode.name, leaves: new HostLeaves(cluster, "dc1") },
  areas: [
    agentArea(agent),
    deploymentArea({ cluster, objects, nowMs: Date.now }),
    deploymentKeyArea({ cluster, keys, nowMs: Date.now, uuid: () => crypto.randomUUID() }),
  ],
  settings: { aclEnabled: true },
  random: () => 0,
  uuid: () => crypto.randomUUID(),
  onError: (error) => errors.push(error),
});

const ajv = new Ajv2020({ strict: false, validateFormats: false, allErrors: true });
let document: Document;
/** Parameters that handlers asked for in the current call. */
const asked = new Set<string>();
const readOf = new Map<string, Set<string>>();

beforeAll(async () => {
  await cluster.writeOwn({
    ...{ type: "acl.initialize", master: administrator, accessor: crypto.randomUUID() },
  });
  await cluster.authority.initialize();
  await cluster.writeOwn({ type: "cluster.identify", id: crypto.randomUUID() });
  const response = await api.fetch(new Request("http://localhost/v1/openapi.json"));
  document = closed(await response.json()) as Document;
  ajv.addSchema({ $id: "document", ...document });
  for (const name of ["has", "get", "getAll"] as const) {
    const original = Query.prototype[name] as (parameter: string) => unknown;
    vi.spyOn(Query.prototype, name).mockImplementation(function (this: Query, parameter: string) {
      asked.add(parameter);
      return original.call(this, parameter) as never;
    });
  }
});

afterAll(() => {
  vi.restoreAllMocks();
});

/** The document with every object closed whose members it names. */
function closed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(closed);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).map(([name, member]) => [name, closed(member)]);
  const copy = Object.fromEntries(entries) as Json;
  const isOpen = copy["type"] !== undefined && copy["properties"] !== undefined;
  return isOpen ? { additionalProperties: false, ...copy } : copy;
}

function problems(schema: Json, value: unknown): string {
  const inDocument = JSON.parse(
    JSON.stringify(schema).replaceAll('"#/components', '"document#/components'),
  ) as Json;
  const validate = ajv.compile(inDocument);
  return validate(value) ? "" : ajv.errorsText(validate.errors);
}

function operationOf(call: Call): Operation {
  const [method = "", path = ""] = call.operation.split(" ");
  const operation = document.paths[path]?.[method.toLowerCase()];
  if (!operation) throw new Error(`${call.operation} is not in the document`);
  return operation;
}

function queryNames({ parameters = [] }: Operation): string[] {
  return parameters
    .map(
      ({ $ref = "", ...own }) =>
        document.components.parameters[$ref.split("/").at(-1) ?? ""] ?? own,
    )
    .flatMap((parameter) => (parameter.in === "query" ? [parameter.name ?? ""] : []));
}

const keptValues: Record<string, string> = {};

function filled(text: string): string {
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => keptValues[name] ?? whole);
}

async function send(call: Call): Promise<{ response: Response; text: string }> {
  const [method = "", template = ""] = call.operation.split(" ");
  const { path = {}, query = "", body, token = administrator } = call;
  const named = template.replace(/\{(\w+)\}/g, (_whole, name: string) => path[name] ?? "");
  const text = typeof body === "object" ? JSON.stringify(body) : body;
  const url = `http://localhost${filled(named)}${query === "" ? "" : `?${filled(query)}`}`;
  const headers = { "X-Consul-Token": filled(token) };
  const sent = text === undefined ? {} : { body: filled(text) };
  const response = await api.fetch(new Request(url, { method, headers, ...sent }));
  return { response, text: await response.text() };
}

function checkRequest(call: Call, operation: Operation): void {
  const { body } = call;
  expect(body === undefined && operation.requestBody?.required === true).toBe(false);
  if (body === undefined) return;
  const schema = operation.requestBody?.content["application/json"]?.schema;
  if (typeof body === "string") expect(schema).toBeUndefined();
  else expect(problems(schema ?? { not: {} }, JSON.parse(filled(JSON.stringify(body))))).toBe("");
}

function checkAnswer(operation: Operation, response: Response, text: string): void {
  const described = operation.responses[String(response.status)];
  const [type = ""] = (response.headers.get("Content-Type") ?? "").split(/;|$/);
  if (!described) return expect([type, response.status >= 400]).toEqual(["text/plain", true]);
  const { content = {} } = described;
  const [, found] =
    Object.entries(content).find(([each]) => each === "*/*" || each.split(";")[0] === type) ?? [];
  if (!found) return expect([text, Object.keys(content)]).toEqual(["", []]);
  if (type === "application/json") expect(problems(found.schema, JSON.parse(text))).toBe("");
}

function keep({ keep: wanted }: Call, text: string): void {
  if (!wanted) return;
  const [name, member] = wanted;
  keptValues[name] = (JSON.parse(text) as Record<string, string>)[member] ?? "";
}

const signer = ecSigner();
const jwt = signer.sign({ sub: "web", iat: 1, nbf: 1, exp: 4_000_000_000 });
const all: readonly Call[] = [...calls, ...aclCalls, ...logins({ pem: signer.pem, jwt })];

test.each(all.map((call, at) => ({ at, name: call.operation, call })))(
  "$at $name",
  async ({ call }) => {
    const operation = operationOf(call);
    checkRequest(call, operation);
    asked.clear();
    const { response, text } = await send(call);
    expect([response.status, text]).toEqual([call.status ?? 200, text]);
    expect(errors).toEqual([]);
    checkAnswer(operation, response, text);
    keep(call, text);
    const names = [...asked].filter((name) => name !== "token" && !refused.includes(name));
    // Read of every answer that may be JSON, whether it is or not.
    const described = new Set([...queryNames(operation), "pretty"]);
    expect(names.filter((name) => !described.has(name))).toEqual([]);
    readOf.set(call.operation, new Set([...(readOf.get(call.operation) ?? []), ...names]));
  },
);

test("no operation was forgotten", () => {
  const described = Object.entries(document.paths).flatMap(([path, item]) =>
    Object.keys(item).map((method) => `${method.toUpperCase()} ${path}`),
  );
  expect([...readOf.keys()].toSorted()).toEqual(described.toSorted());
});

/** What says nothing against the leader, which is when `?leader` is looked at. */
function withLeader({ query = "" }: Call): string {
  return query.replace("stale&cached", "leader").replace("&max_stale=1m", "");
}

test("no parameter is described that nobody reads", async () => {
  for (const call of all.filter(({ query = "" }) => query.startsWith("stale&cached"))) {
    asked.clear();
    await send({ ...call, query: withLeader(call) });
    for (const name of asked) readOf.get(call.operation)?.add(name);
  }
  const unread = all.flatMap((call) => {
    const read = readOf.get(call.operation) ?? new Set();
    // Whatever is JSON is asked for it, and what was refused is not.
    const names = queryNames(operationOf(call)).filter(
      (name) => name !== "pretty" && !read.has(name),
    );
    return names.map((name) => `${call.operation} ${name}`);
  });
  expect([...new Set(unread)]).toEqual([]);
});
