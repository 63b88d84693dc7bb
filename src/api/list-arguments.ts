// Query parameters that narrow or order a list of the catalog or of health, as arguments of a read.

import type { ReadArguments } from "../core/state/reads.ts";
import type { ReadParts } from "./consistency.ts";
import type { ApiRequest } from "./request.ts";

type Parts = Pick<ReadParts, "nodeName">;
type ServicesArguments = ReadArguments["catalog.services"];
type MetaArguments = Pick<ServicesArguments, "meta">;
type ListArguments = ReadArguments["catalog.nodes"];
type InstanceArguments = ReadArguments["catalog.service"];

function metaArguments({ nodeMeta }: ApiRequest): MetaArguments {
  return nodeMeta === undefined ? {} : { meta: nodeMeta };
}

export function servicesArguments(request: ApiRequest): ServicesArguments {
  return { ...metaArguments(request), ...filterArguments(request) };
}

export function listArguments(request: ApiRequest, parts: Parts): ListArguments {
  return { ...servicesArguments(request), ...nearArguments(request, parts) };
}

/** `?near=`: a node by name, or `_agent` for the one that is asked. */
export function nearArguments({ query }: ApiRequest, { nodeName }: Parts): { near?: string } {
  const near = query.get("near");
  if (near === "") return {};
  return { near: near === "_agent" ? nodeName : near };
}

/** What the path names, which must not be missing, and what narrows the list about it. */
export function instanceArguments(
  request: ApiRequest,
  parts: Parts,
  missing: string,
): InstanceArguments {
  const service = request.require(missing);
  const tags = request.query.getAll("tag");
  return { ...listArguments(request, parts), service, ...(tags.length > 0 && { tags }) };
}

export function filterArguments({ query }: ApiRequest): { filter?: string } {
  const filter = query.get("filter");
  return filter === "" ? {} : { filter };
}
