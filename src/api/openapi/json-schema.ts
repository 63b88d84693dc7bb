// JSON Schema (2020-12) of the schemas that encode and decode Consul's JSON.

import { assertNever } from "../../core/lib/assert.ts";
import type { StructType, Type } from "../../core/model/schema.ts";
import type { Presence, Shape, ShapeField } from "./operation.ts";

/** As much of the vocabulary as is used here. */
export interface JsonSchema {
  $ref?: string;
  type?: JsonType | JsonType[];
  format?: string;
  contentEncoding?: string;
  minimum?: number;
  enum?: readonly string[];
  const?: boolean;
  anyOf?: JsonSchema[];
  items?: JsonSchema;
  properties?: Record<string, JsonSchema>;
  required?: string[];
  additionalProperties?: boolean | JsonSchema;
  description?: string;
}

type JsonType = "string" | "boolean" | "integer" | "number" | "array" | "object" | "null";

export interface Direction {
  /**
   * `written`: members that are always there are required. `read`: none is, and unknown ones are refused, unless they
   * pass (`lenient`).
   */
  as: "written" | "read" | "lenient";
  /** Where a shape has a schema of its own; undefined for one that has none. */
  reference(shape: Shape, direction: Direction["as"]): string | undefined;
}

export function jsonSchema(shape: Shape | Presence, direction: Direction): JsonSchema {
  const $ref = shape.kind === "presence" ? undefined : direction.reference(shape, direction.as);
  return $ref === undefined ? inlineSchema(shape, direction) : orNull({ $ref }, shape);
}

/** The same, spelled out. */
export function inlineSchema(shape: Shape | Presence, direction: Direction): JsonSchema {
  switch (shape.kind) {
    case "items":
      return { type: "array", items: jsonSchema(shape.item, direction) };
    case "members":
      return { type: "object", additionalProperties: jsonSchema(shape.value, direction) };
    case "object":
      return objectSchema(shape, direction);
    case "union":
      return { anyOf: shape.of.map((each) => jsonSchema(each, direction)) };
    case "word":
      return { type: "string", enum: shape.words };
    case "nothing":
      return { type: "null" };
    case "presence":
      return { type: "boolean", const: true };
    case "string":
    case "boolean":
    case "integer":
    case "float":
    case "uint64":
    case "duration":
    case "bytes":
    case "any":
    case "list":
    case "map":
    case "struct":
      return typeSchema(shape, direction);
  }
  return assertNever(shape);
}

function typeSchema(type: Type, direction: Direction): JsonSchema {
  switch (type.kind) {
    case "string":
      return { type: "string" };
    case "boolean":
      return { type: "boolean" };
    case "integer":
      return type.goName === "int" ? { type: "integer" } : { type: "integer", minimum: 0 };
    case "float":
      return { type: "number" };
    case "uint64":
      return { type: "integer", format: "uint64", minimum: 0 };
    case "duration":
      return durationSchema(type.written, direction);
    case "bytes":
      return { type: ["string", "null"], contentEncoding: "base64" };
    case "any":
      return {};
    case "list":
      return { type: ["array", "null"], items: jsonSchema(type.item, direction) };
    case "map":
      return { type: ["object", "null"], additionalProperties: jsonSchema(type.value, direction) };
    case "struct":
      return direction.reference(type, direction.as) === undefined
        ? orNull(objectSchema(type, direction), type)
        : objectSchema(type, direction);
  }
  return assertNever(type);
}

/** Text as Go writes it, `1m30s`, or nanoseconds; both are read. */
function durationSchema(written: "text" | "nanoseconds", { as }: Direction): JsonSchema {
  if (as !== "written") return { type: ["string", "integer"] };
  return { type: written === "text" ? "string" : "integer" };
}

type ObjectShape = Pick<StructType, "accepted" | "opaque" | "snakeCase"> & {
  fields: Readonly<Record<string, ShapeField>>;
};

function objectSchema(shape: ObjectShape, direction: Direction): JsonSchema {
  const fields = Object.entries(shape.fields);
  if (direction.as === "written") {
    const properties = fields.map(([name, { type }]) => [name, jsonSchema(type, direction)]);
    const required = fields.filter(([, { omitEmpty }]) => !omitEmpty).map(([name]) => name);
    return {
      type: "object",
      properties: Object.fromEntries(properties) as Record<string, JsonSchema>,
      ...(required.length > 0 && { required }),
    };
  }
  const as = shape.opaque === undefined ? direction.as : passing[shape.opaque];
  const properties: Record<string, JsonSchema> = {};
  for (const [name, field] of fields) {
    const schema = jsonSchema(field.type, { ...direction, as });
    for (const each of spellings(name, field, shape)) properties[each] = schema;
  }
  for (const name of shape.accepted ?? []) properties[name] = {};
  return { type: "object", properties, ...(as === "read" && { additionalProperties: false }) };
}

const passing = { strict: "read", lenient: "lenient" } as const;

function spellings(name: string, field: ShapeField, { snakeCase = [] }: ObjectShape): string[] {
  const snake = name.replace(/(?<=[a-z])(?=[A-Z])/g, "_").toLowerCase();
  return [
    name,
    ...(snakeCase.includes(name) ? [snake] : []),
    ...("alias" in field && field.alias !== undefined ? [field.alias] : []),
  ];
}

function orNull(schema: JsonSchema, shape: Shape | Presence): JsonSchema {
  if (shape.kind !== "struct" || !shape.nullable) return schema;
  if (schema.$ref !== undefined) return { anyOf: [schema, { type: "null" }] };
  return { ...schema, type: ["object", "null"] };
}
