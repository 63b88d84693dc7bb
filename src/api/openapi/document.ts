// The OpenAPI document of whatever is mounted: descriptions say what a route is, areas which of them there are.

import type {
  ComponentsObject,
  ContentObject,
  HeadersObject,
  OpenAPIObject,
  OperationObject,
  ParameterObject,
  PathItemObject,
  PathsObject,
  ReferenceObject,
  RequestBodyObject,
  ResponseObject,
  ResponsesObject,
  SchemaObject,
} from "openapi3-ts/oas31";
import { consulVersion } from "../../core/model/version.ts";
import type { Area, Method } from "../endpoint.ts";
import { inlineSchema, jsonSchema } from "./json-schema.ts";
import type { Direction, JsonSchema } from "./json-schema.ts";
import { mountOf } from "./operation.ts";
import type { Content, Operation, Parameter, Routes, Shape } from "./operation.ts";
import { named as namedParameters, pretty } from "./parameters.ts";
import { named as namedShapes } from "./shapes.ts";

/** `routes` are all that are described; those that no area has are left out. Throws for a route without description. */
export function openApiDocument(areas: readonly Area[], routes: Routes): OpenAPIObject {
  const mounted = new Map(areas.flatMap((area) => Object.entries(area)));
  const references = new References();
  const paths: PathsObject = {};
  const described = new Set<string>();
  for (const [template, methods] of Object.entries(routes)) {
    const mount = mountOf(template);
    const served = Object.entries(methods).filter(([method]) => {
      return Object.hasOwn(mounted.get(mount) ?? {}, method);
    });
    if (served.length === 0) continue;
    const item: PathItemObject = {};
    for (const [method, operation] of served as [Method, Operation][]) {
      described.add(`${method} ${mount}`);
      const key = method.toLowerCase() as Lowercase<Method>;
      item[key] = new Describer(template, method, operation, references).operation();
    }
    paths[template] = item;
  }
  for (const [mount, endpoint] of mounted) {
    const missing = Object.keys(endpoint).find((method) => !described.has(`${method} ${mount}`));
    if (missing !== undefined) throw new Error(`${missing} ${mount} has no description`);
  }
  return {
    openapi: "3.1.1",
    info: {
      title: "Proconsul",
      version: consulVersion,
      description:
        "Consul's HTTP API. Durations are as Go writes them, 64-bit numbers are JSON numbers, member names of " +
        "requests are read in any case. Whatever fails is answered in plain text.",
      license: { name: "MIT", identifier: "MIT" },
    },
    servers: [{ url: "/" }],
    tags: [...new Set(Object.keys(paths).map(tagOf))].map((name) => ({ name })),
    security: [{}, { token: [] }, { bearer: [] }, { query: [] }],
    paths,
    components: components(references),
  };
}

function namesOf<Value>(named: Readonly<Record<string, Value>>): Map<Value, string> {
  return new Map(Object.entries(named).map(([name, value]) => [value, name]));
}

/** What was referred to: shapes, each in the direction in which it was, and parameters. */
class References {
  readonly parameters: Record<string, ParameterObject> = {};
  readonly #names = namesOf(namedShapes);
  readonly #parameterNames = namesOf(namedParameters);
  readonly #used = new Map<string, { shape: Shape; as: Direction["as"] }>();

  readonly of = (shape: Shape, as: Direction["as"]): string | undefined => {
    const name = this.#names.get(shape);
    if (name === undefined) return undefined;
    const full = as === "written" ? name : as === "read" ? `${name}Request` : `${name}Lenient`;
    this.#used.set(full, { shape, as });
    return `#/components/schemas/${full}`;
  };

  parameter(name: string, given: Parameter): ParameterObject | ReferenceObject {
    const shared = this.#parameterNames.get(given);
    if (shared === undefined) return this.#spelledOut(name, given);
    this.parameters[shared] ??= this.#spelledOut(name, given);
    return { $ref: `#/components/parameters/${shared}` };
  }

  #spelledOut(
    name: string,
    { shape, description, required, repeated }: Parameter,
  ): ParameterObject {
    const schema = jsonSchema(shape, { as: "written", reference: this.of }) as SchemaObject;
    return {
      name,
      in: "query",
      description,
      ...(required && { required }),
      ...(shape.kind === "presence" || shape.kind === "boolean" ? { allowEmptyValue: true } : {}),
      schema: repeated ? { type: "array", items: schema } : schema,
    };
  }

  /** Spelling one out may refer to others. */
  schemas(): Record<string, JsonSchema> {
    const schemas: Record<string, JsonSchema> = {};
    for (const [name, { shape, as }] of this.#used) {
      schemas[name] = inlineSchema(shape, { as, reference: this.of });
    }
    return Object.fromEntries(Object.entries(schemas).toSorted(([a], [b]) => (a < b ? -1 : 1)));
  }
}

class Describer {
  readonly #template: string;
  readonly #method: Method;
  readonly #operation: Operation;
  readonly #references: References;

  constructor(template: string, method: Method, operation: Operation, references: References) {
    this.#template = template;
    this.#method = method;
    this.#operation = operation;
    this.#references = references;
  }

  operation(): OperationObject {
    const { summary, description, body, isPublic } = this.#operation;
    const parameters = this.#parameters();
    return {
      operationId: operationId(this.#method, this.#template),
      tags: [tagOf(this.#template)],
      summary,
      ...(description !== undefined && { description }),
      ...(parameters.length > 0 && { parameters }),
      ...(body && { requestBody: this.#requestBody(body) }),
      responses: this.#responses(),
      ...(isPublic && { security: [] }),
    };
  }

  #parameters(): (ParameterObject | ReferenceObject)[] {
    const { path = {}, query = {}, answers } = this.#operation;
    const isJson = Object.values(answers).some(({ as }) => as === "json");
    const all = { ...query, ...(isJson && pretty) };
    return [
      ...Object.entries(path).map(([name, description]): ParameterObject => {
        return { name, in: "path", required: true, description, schema: { type: "string" } };
      }),
      ...Object.entries(all).map(([name, parameter]) =>
        this.#references.parameter(name, parameter),
      ),
    ];
  }

  #requestBody({ content, optional, lenient }: NonNullable<Operation["body"]>): RequestBodyObject {
    const { description } = content;
    return {
      ...(description !== undefined && { description }),
      required: !optional,
      content: this.#content([content], lenient ? "lenient" : "read"),
    };
  }

  #responses(): ResponsesObject {
    const { answers, when = {} } = this.#operation;
    const responses = Object.entries(answers).map(([status, content]): [string, ResponseObject] => {
      const others = status === "200" ? Object.values(when) : [];
      return [status, this.#response(status, [content, ...others])];
    });
    return {
      ...(Object.fromEntries(responses) as Record<string, ResponseObject>),
      default: { $ref: "#/components/responses/Refused" },
    };
  }

  #response(status: string, contents: readonly Content[]): ResponseObject {
    const [{ description = status === "200" ? "Done." : "Refused." } = {}] = contents;
    const content = this.#content(contents, "written");
    return {
      description,
      ...(this.#operation.indexed && status === "200" && { headers: indexHeaders }),
      ...(Object.keys(content).length > 0 && { content }),
    };
  }

  /** By media type; several of one are alternatives. */
  #content(contents: readonly Content[], as: Direction["as"]): ContentObject {
    const found = new Map<string, (SchemaObject | ReferenceObject)[]>();
    for (const content of contents) {
      const type = mediaType(content, as);
      if (type === null) continue;
      const schema = content.as === "json" ? this.#schema(content.shape, as) : textSchema(content);
      found.set(type, [...(found.get(type) ?? []), schema]);
    }
    return Object.fromEntries(
      [...found].map(([type, schemas]) => {
        const [first = {}, ...more] = schemas;
        return [type, { schema: more.length > 0 ? { anyOf: schemas } : first }];
      }),
    );
  }

  #schema(shape: Parameter["shape"], as: Direction["as"]): SchemaObject | ReferenceObject {
    return jsonSchema(shape, { as, reference: this.#references.of }) as SchemaObject;
  }
}

function mediaType(content: Content, as: Direction["as"]): string | null {
  if ("type" in content) return content.type;
  switch (content.as) {
    case "json":
      return "application/json";
    case "text":
      return "text/plain";
    case "bytes":
      return as === "written" ? "text/plain" : "application/octet-stream";
    case "stream":
      return "*/*";
    case "empty":
      return null;
  }
  return content satisfies never;
}

/** Bytes have none: whatever they are. */
function textSchema({ as }: Content): SchemaObject {
  return as === "text" ? { type: "string" } : {};
}

/** `GET /v1/kv/{key}` is `getKvByKey`. */
export function operationId(method: string, template: string): string {
  const words = template
    .replace("/v1/", "")
    .replaceAll("{", "by-")
    .split(/[^\dA-Za-z]+/)
    .filter((word) => word !== "")
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1));
  return method.toLowerCase() + words.join("");
}

/** `kv` of `/v1/kv/{key}`. */
function tagOf(template: string): string {
  return template.split("/")[2] ?? "";
}

const header = (description: string, schema: SchemaObject = { type: "string" }) => ({
  description,
  schema,
});

const indexHeaders: HeadersObject = Object.fromEntries(
  ["X-Consul-Index", "X-Consul-KnownLeader", "X-Consul-LastContact"].map((name) => [
    name,
    { $ref: `#/components/headers/${name}` },
  ]),
);

function components(references: References): ComponentsObject {
  const schemas = references.schemas() as Record<string, SchemaObject>;
  return {
    schemas,
    parameters: references.parameters,
    responses: {
      Refused: {
        description: "What is wrong, in Consul's words.",
        content: { "text/plain": { schema: { type: "string" } } },
      },
    },
    headers: {
      "X-Consul-Index": header("What `index` takes to wait for something newer.", {
        type: "integer",
        minimum: 0,
      }),
      "X-Consul-KnownLeader": header("Whether the answering server knows a leader.", {
        type: "boolean",
      }),
      "X-Consul-LastContact": header("How long ago it heard from the leader, in ms.", {
        type: "integer",
        minimum: 0,
      }),
    },
    securitySchemes: {
      token: { type: "apiKey", in: "header", name: "X-Consul-Token" },
      bearer: { type: "http", scheme: "bearer" },
      query: { type: "apiKey", in: "query", name: "token" },
    },
  };
}
