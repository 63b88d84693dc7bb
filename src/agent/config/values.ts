// What HCL and JSON hold, as Consul's decoder sees it: how Go calls it, and where a list of one is as good as its item,
// because that is how HCL reads a block.

import { isRecord } from "../../core/lib/record.ts";

export type ConfigRecord = Record<string, unknown>;
export type ConfigFormat = "hcl" | "json";

/** Wherever no list is wanted, a list of one stands for its item. */
export function unwrapped(value: unknown): unknown {
  return Array.isArray(value) && value.length === 1 ? value[0] : value;
}

/** Free-form values: lists of one are unwrapped at every depth, but for what lies in longer lists. */
export function unwrappedDeep(value: unknown): unknown {
  const inner = unwrapped(value);
  if (!isRecord(inner)) return inner;
  return Object.fromEntries(
    Object.entries(inner).map(([name, item]) => [name, unwrappedDeep(item)]),
  );
}

/** Go's kind of it: JSON has only one kind of number. */
export function goKind(value: unknown, format: ConfigFormat): string {
  if (Array.isArray(value)) return "slice";
  if (isRecord(value)) return "map";
  if (typeof value === "number") {
    return format === "hcl" && Number.isInteger(value) ? "int" : "float64";
  }
  return typeof value === "boolean" ? "bool" : "string";
}

/** Go's type of it. */
export function goType(value: unknown, format: ConfigFormat): string {
  if (Array.isArray(value)) {
    const isBlocks = format === "hcl" && value.length > 0 && value.every(isRecord);
    return isBlocks ? "[]map[string]interface {}" : "[]interface {}";
  }
  return isRecord(value) ? "map[string]interface {}" : goKind(value, format);
}
