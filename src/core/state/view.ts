// What lists of every area have in common: leaving out what the bearer may not see, narrowing by metadata and
// tags, and applying a filter expression.

import { ServiceError } from "../model/errors.ts";
import { compileFilter } from "../model/filter/filter.ts";
import type { StructType } from "../model/schema.ts";
import type { Resource } from "./authorizer.ts";
import type { View } from "./state.ts";

/** Throws `Permission denied` unless the bearer may read this. */
export function requireRead(view: View, resource: Resource, segment: string): void {
  if (view.authorizer.unrestricted || view.authorizer.allows(resource, segment, "read")) return;
  throw new ServiceError("permission-denied", "Permission denied");
}

/** A name as it was given, which rules are held against; looked up only when there are rules. */
type GivenName = string | (() => string);

/** Whether the bearer may see a node, and, unless "", one of its services. */
export function mayRead(view: View, node: GivenName, service: GivenName): boolean {
  const { authorizer } = view;
  if (authorizer.unrestricted) return true;
  if (!authorizer.readsAll("node") && !authorizer.allows("node", given(node), "read")) return false;
  if (authorizer.readsAll("service")) return true;
  const name = given(service);
  return name === "" || authorizer.allows("service", name, "read");
}

function given(name: GivenName): string {
  return typeof name === "string" ? name : name();
}

/** Whether the bearer may see services of a name. */
export function mayReadService({ authorizer }: Pick<View, "authorizer">, service: string): boolean {
  return authorizer.unrestricted || authorizer.allows("service", service, "read");
}

/** The texts whose value the expression accepts; all of them without one. Throws for a bad expression. */
export function applyFilter(
  texts: readonly string[],
  expression: string | undefined,
  schema: StructType,
): readonly string[] {
  if (expression === undefined || expression === "") return texts;
  const accepts = compileFilter(expression, schema);
  return texts.filter((text) => accepts(JSON.parse(text)));
}

/** Throws `too-large` for a body, or what will be one, of more than the view's `answerLengthMax`. */
export function requireShort(
  { answerLengthMax }: Pick<View, "answerLengthMax">,
  length: number,
): void {
  if (length <= answerLengthMax) return;
  const sizes = `${length} > ${answerLengthMax} bytes`;
  throw new ServiceError("too-large", `The answer is too large (${sizes}): ask for a part of it`);
}

/** Whether metadata has all the wanted pairs. */
export function hasMeta(
  meta: Record<string, string> | null | undefined,
  wanted: Record<string, string> | undefined,
): boolean {
  return Object.entries(wanted ?? {}).every(([key, value]) => meta?.[key] === value);
}

/** Whether `tags` has all the wanted ones, in any case. */
export function hasTags(
  tags: readonly string[] | null,
  wanted: readonly string[] | undefined,
): boolean {
  if (wanted === undefined || wanted.length === 0) return true;
  const present = new Set((tags ?? []).map((tag) => tag.toLowerCase()));
  return wanted.every((tag) => present.has(tag.toLowerCase()));
}
