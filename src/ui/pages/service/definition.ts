// How a check is made, as far as the catalog says it: agents need not tell.

import type { Check } from "../../model/instance.ts";

export type DefinitionPart = "kind" | "target" | "interval" | "timeout";

export function definitionOf(check: Check): [DefinitionPart, string][] {
  const definition = check.Definition as Readonly<Record<string, unknown>> | null | undefined;
  const text = (name: string): string => {
    const value = definition?.[name];
    return typeof value === "string" && value !== "0s" ? value : "";
  };
  const kind = (check as { Type?: string }).Type ?? "";
  const rows: [DefinitionPart, string][] = [
    ["kind", kind],
    ["target", text("HTTP") || text("TCP") || text("GRPC")],
    ["interval", text("Interval")],
    ["timeout", text("Timeout")],
  ];
  return rows.filter(([, value]) => value !== "");
}

/** How long it may be critical before its service is deregistered; "" for ever. */
export function patienceOf({ Definition }: Check): string {
  const text = (Definition as Readonly<Record<string, unknown>> | null | undefined)?.[
    "DeregisterCriticalServiceAfter"
  ];
  return typeof text === "string" && text !== "0s" ? text : "";
}
