// Commands arrive over links from programs of other versions: before one enters the log it is cut to the shape
// its handler relies on. Missing members become zero, unknown ones are dropped, wrong types are refused.

import { assertNever } from "../lib/assert.ts";
import { ServiceError } from "../model/errors.ts";
import type { StructType, Type } from "../model/schema.ts";
import { zeroValue } from "../model/schema.ts";

/** `value` with exactly the schema's members. Throws ServiceError `malformed`, naming where it is wrong. */
export function fitShape<Shape>(type: StructType, value: unknown, where: string): Shape {
  return fitStruct(type, value, where) as Shape;
}

function fit(type: Type, value: unknown, where: string): unknown {
  if (value === undefined || value === null) return zeroValue(type);
  switch (type.kind) {
    case "string":
      return expect(value, "string", where);
    case "bytes":
      return expectText(value, /^[A-Za-z0-9+/]*={0,2}$/, where);
    case "uint64":
      return expectText(value, /^\d{1,20}$/, where);
    case "boolean":
      return expect(value, "boolean", where);
    case "integer":
    case "duration":
      if (Number.isSafeInteger(value)) return value;
      return refuse(where, "an integer");
    case "float":
      return Number.isFinite(value) ? value : refuse(where, "a number");
    case "any":
      return value;
    case "list":
      if (!Array.isArray(value)) return refuse(where, "a list");
      return value.map((item: unknown, at) => fit(type.item, item, `${where}[${at}]`));
    case "map":
      return Object.fromEntries(
        Object.entries(expectObject(value, where)).map(([key, item]) => [
          key,
          fit(type.value, item, `${where}.${key}`),
        ]),
      );
    case "struct":
      return fitStruct(type, value, where);
  }
  return assertNever(type);
}

function fitStruct(type: StructType, value: unknown, where: string): Record<string, unknown> {
  const given = expectObject(value, where);
  const fitted: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(type.fields)) {
    fitted[name] = fit(field.type, given[name], `${where}.${name}`);
  }
  return fitted;
}

function expect(value: unknown, type: "string" | "boolean", where: string): unknown {
  return typeof value === type ? value : refuse(where, `a ${type}`);
}

function expectText(value: unknown, pattern: RegExp, where: string): unknown {
  return typeof value === "string" && pattern.test(value) ? value : refuse(where, "well-formed");
}

function expectObject(value: unknown, where: string): Record<string, unknown> {
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  return isObject ? (value as Record<string, unknown>) : refuse(where, "an object");
}

function refuse(where: string, wanted: string): never {
  throw new ServiceError("malformed", `${where} is not ${wanted}`);
}
