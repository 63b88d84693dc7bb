// What answers a read, and how an answer comes about. A read says which topics its answer depends on, which
// index it carries (semantics §2.1, exactly), and how the body is written. Bodies that take work are kept until
// one of the topics is touched; the index is always read anew, because it may move without them.

import type { QueryElsewhere } from "../model/prepared-query.ts";
import { noting, type Principal, type Resource } from "./authorizer.ts";
import type { ReadCache } from "./read-cache.ts";
import type { State, View } from "./state.ts";
import type { Topic } from "./watch.ts";

export interface Evaluated {
  /** X-Consul-Index; at least 1. */
  index: number;
  /** JSON text; null when the thing asked for does not exist. */
  body: string | null;
  /** What to wait on for another answer. */
  topics: Topic[];
  /** Something was left out because the bearer may not see it. */
  isFiltered?: true;
  /** The answer may have to come from another datacenter; for the server alone. */
  elsewhere?: QueryElsewhere;
}

/** A read whose body is kept: for all who may read everything that it sees, and for each of the others. */
export interface KeptRead<Args> {
  /** What the body asks permission for. */
  sees: readonly Resource[];
  topics(args: Args, state: State): Topic[];
  index(args: Args, state: State): number;
  body(args: Args, view: View): string;
}

/** A read that is evaluated each time, because that is as quick. */
export interface PlainRead<Args> {
  evaluate(args: Args, view: View): Evaluated;
}

/** Any read, whatever its arguments. */
export type AnyRead = KeptRead<never> | PlainRead<never>;

/** Answers a read; `question` names it with its arguments. Throws ServiceError. */
export function evaluateRead(
  view: View,
  cache: ReadCache,
  read: AnyRead,
  question: { op: string; args: never },
  principal: Principal,
): Evaluated {
  const { op, args } = question;
  if ("evaluate" in read) {
    const { index, topics, ...answer } = noted(view, (seen) => read.evaluate(args, seen));
    return { ...answer, index: Math.max(1, index), topics: [...topics, ...principal.topics] };
  }
  const isShared = read.sees.every((resource) => view.authorizer.readsAll(resource));
  const name = `${isShared ? "" : principal.id} ${op} ${JSON.stringify(args)}`;
  const topics = read.topics(args, view);
  const index = Math.max(1, read.index(args, view));
  let kept = cache.get(name);
  if (kept === undefined) {
    kept = noted(view, (seen) => ({ body: read.body(args, seen) }));
    cache.put(name, topics, kept);
  }
  return { index, ...kept, topics: [...topics, ...principal.topics] };
}

/** Says of an answer whether anything was left out of it. */
function noted<Answer extends object>(
  view: View,
  evaluate: (view: View) => Answer,
): Answer & { isFiltered?: true } {
  if (view.authorizer.unrestricted) return evaluate(view);
  const { authorizer, hasDenied } = noting(view.authorizer);
  const answer = evaluate({ ...view, authorizer });
  return hasDenied() ? { ...answer, isFiltered: true } : answer;
}
