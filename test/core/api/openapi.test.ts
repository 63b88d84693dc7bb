// The document at /v1/openapi.json: that it is one, and that it speaks of what is served, and of nothing else.

import { Validator } from "@seriousme/openapi-schema-validator";
import { expect, test } from "vitest";

import { agentArea } from "../../../src/api/agent.ts";
import { deploymentArea, type DeploymentParts } from "../../../src/api/deployment.ts";
import { deploymentKeyArea, type DeploymentKeyParts } from "../../../src/api/deployment-keys.ts";
import type { Area } from "../../../src/api/endpoint.ts";
import { apiAreas } from "../../../src/api/index.ts";
import { openApiDocument } from "../../../src/api/openapi/document.ts";
import { mountOf } from "../../../src/api/openapi/operation.ts";
import { routes } from "../../../src/api/openapi/routes/index.ts";
import { json } from "../../../src/api/reply.ts";
import type { LeafSource } from "../../../src/ports/leaf-source.ts";
import type { LocalAgent } from "../../../src/ports/local-agent.ts";
import { ApiClient } from "../../support/api-client.ts";

const agent = {
  areas: [
    agentArea({} as LocalAgent),
    deploymentArea({} as DeploymentParts),
    deploymentKeyArea({} as DeploymentKeyParts),
  ],
  leaves: {} as LeafSource,
};

interface Document {
  openapi: string;
  paths: Record<string, Record<string, { operationId: string }>>;
}

async function documentOf(client: ApiClient): Promise<Document> {
  const { status, json: document } = await client.get("/v1/openapi.json");
  expect(status).toBe(200);
  return document as Document;
}

function operations({ paths }: Document): string[] {
  return Object.entries(paths).flatMap(([path, item]) =>
    Object.keys(item).map((method) => `${method.toUpperCase()} ${path}`),
  );
}

test("it is OpenAPI 3.1", async () => {
  const document = await documentOf(new ApiClient(agent));
  expect(document.openapi).toMatch(/^3\.1\./);
  expect(await new Validator().validate({ ...document })).toEqual({ valid: true });
});

test("it names every route of the route table, and no other", async () => {
  const parts = { nodeName: "n", random: () => 0, uuid: () => "", onError: () => undefined };
  const client = new ApiClient(agent);
  const served = apiAreas({ ...parts, ...agent, cluster: client.cluster }).flatMap((area) =>
    Object.entries(area).flatMap(([path, endpoint]) =>
      Object.keys(endpoint).map((method) => `${method} ${path}`),
    ),
  );
  const described = operations(await documentOf(client)).map(mountOf);
  expect([...new Set(described)].toSorted()).toEqual(served.toSorted());
});

test("everything described is served by some host", async () => {
  const all = Object.entries(routes).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method} ${path}`),
  );
  const served = operations(await documentOf(new ApiClient(agent)));
  expect(served.toSorted()).toEqual(all.toSorted());
});

test("a host without an agent says nothing of one", async () => {
  const { paths } = await documentOf(new ApiClient());
  expect(Object.keys(paths).filter((path) => path.startsWith("/v1/agent"))).toEqual([]);
  expect(paths).toHaveProperty(["/v1/kv/{key}"]);
});

test("operations have names of their own", async () => {
  const { paths } = await documentOf(new ApiClient(agent));
  const ids = Object.values(paths).flatMap((item) =>
    Object.values(item).map(({ operationId }) => operationId),
  );
  expect(ids).toContain("getKvByKey");
  expect(new Set(ids).size).toBe(ids.length);
});

test("a route that nobody described has no document", () => {
  const area: Area = { "/v1/new/": { GET: () => json("{}") } };
  expect(() => openApiDocument([area], routes)).toThrow("GET /v1/new/ has no description");
});
