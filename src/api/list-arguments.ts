// Query parameters that narrow or order a list of the catalog or of health, as arguments of a read.

import type { ReadArguments } from "../core/state/reads.ts";
import { parseReadOptions } from "./consistency.ts";
import type { ReadParts } from "./consistency.ts";
import type { ApiRequest } from "./request.ts";

type MetaArguments = ReadArguments["catalog.services"];
type ListArguments = ReadArguments["catalog.nodes"];
type InstanceArguments = ReadArguments["catalog.service"];

export function metaArguments({ nodeMeta }: ApiRequest): MetaArguments {
  return nodeMeta === undefined ? {} : { meta: nodeMeta };
}

export function listArguments(request: ApiRequest): ListArguments {
  const filter = request.query.get("filter");
  const near = request.query.get("near");
  return {
    ...metaArguments(request),
    ...(filter !== "" && { filter }),
    ...(near !== "" && { near }),
  };
}

/** Arguments of a list about what the path names, in the order in which Consul complains. */
export function namedArguments(
  parts: ReadParts,
  request: ApiRequest,
  missing: string,
): ListArguments & { name: string } {
  request.refuseNamespaces();
  parseReadOptions(parts, request, { kind: "discovery" });
  return { ...listArguments(request), name: request.require(missing) };
}

export function instanceArguments(
  parts: ReadParts,
  request: ApiRequest,
  missing: string,
): InstanceArguments {
  const { name, ...list } = namedArguments(parts, request, missing);
  const tags = request.query.getAll("tag");
  return { ...list, service: name, ...(tags.length > 0 && { tags }) };
}
