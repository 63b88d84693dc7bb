// Sources and destinations of intentions, and finding an intention by them.

import { type Api, pathEscape, type Query } from "../../api.ts";
import { Failure, failing } from "../../command.ts";

export interface Intention {
  ID: string;
  SourceNS: string;
  SourceName: string;
  DestinationNS: string;
  DestinationName: string;
  Action: string;
  Description: string;
  Meta: Record<string, string> | null;
  CreatedAt: string;
}

export interface Target {
  namespace: string;
  name: string;
}

/** `name` or `namespace/name`. Throws Error. */
export function targetFrom(text: string): Target {
  const parts = text.split("/");
  if (parts.length > 2) throw new Error("target can contain at most one '/'");
  const [first = "", second] = parts;
  return second === undefined
    ? { namespace: "default", name: first }
    : { namespace: first, name: second };
}

export function targetText(namespace: string, name: string): string {
  return namespace === "" || namespace === "default" ? name : `${namespace}/${name}`;
}

function pairText(
  one: Pick<Intention, "SourceNS" | "SourceName" | "DestinationNS" | "DestinationName">,
): string {
  const source = targetText(one.SourceNS, one.SourceName);
  return `${source} => ${targetText(one.DestinationNS, one.DestinationName)}`;
}

/** `web => db (allow)`. */
export function intentionText(one: Intention): string {
  return `${pairText(one)} (${one.Action})`;
}

async function listIntentions(api: Api, query: Query = {}): Promise<Intention[]> {
  return (await api.get("/v1/connect/intentions", { query })).json<Intention[] | null>() ?? [];
}

/** Its ID, from the ID itself or from source and destination. Throws Failure. */
export async function intentionId(api: Api, args: readonly string[]): Promise<string> {
  const [source = "", destination] = args;
  if (args.length !== 1 && args.length !== 2) {
    throw new Failure("Error: command requires exactly 1 or 2 arguments");
  }
  if (destination === undefined) return source;
  const found = await findByPair(api, source, destination).catch(failing("Error"));
  if (found) return found.ID;
  throw new Failure(
    `Error: Intention with source "${source}" and destination "${destination}" not found.`,
  );
}

export async function findByPair(
  api: Api,
  source: string,
  destination: string,
): Promise<Intention | undefined> {
  const [from, to] = [targetFrom(source), targetFrom(destination)];
  return (await listIntentions(api)).find(
    (one) =>
      one.SourceNS === from.namespace &&
      one.SourceName === from.name &&
      one.DestinationNS === to.namespace &&
      one.DestinationName === to.name,
  );
}

export function intentionPath(id: string): string {
  return `/v1/connect/intentions/${pathEscape(id)}`;
}
