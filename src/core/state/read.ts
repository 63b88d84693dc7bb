// What answers a read, and how an answer comes about. A read says which topics its answer depends on, which
// index it carries (semantics §2.1, exactly), and how the body is written. Bodies that take work are kept until
// one of the topics is touched; the index is always read anew, because it may move without them.

import { noting } from "./authorizer.ts";
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
}

/** A read whose body is kept. */
export interface KeptRead<Args> {
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

/**
 * Answers a read; `question` names it with its arguments, `also` what else to wait on: the permissions of whoever asks.
 * Throws ServiceError.
 */
export function evaluateRead(
  view: View,
  cache: ReadCache,
  read: AnyRead,
  question: { op: string; args: never },
  also: readonly Topic[],
): Evaluated {
  const { op, args } = question;
  if (!view.authorizer.unrestricted) {
    const { authorizer, hasDenied } = noting(view.authorizer);
    const evaluated = evaluateAnew({ ...view, authorizer }, read, args, also);
    return hasDenied() ? { ...evaluated, isFiltered: true } : evaluated;
  }
  if ("evaluate" in read) return evaluateAnew(view, read, args, also);
  const topics = [...read.topics(args, view), ...also];
  const index = Math.max(1, read.index(args, view));
  const name = `${op} ${JSON.stringify(args)}`;
  let body = cache.get(name);
  if (body === undefined) {
    body = read.body(args, view);
    cache.put(name, topics, body);
  }
  return { index, body, topics };
}

/** What a token may see is not kept: that depends on more than the topics say. */
function evaluateAnew(view: View, read: AnyRead, args: never, also: readonly Topic[]): Evaluated {
  if ("evaluate" in read) {
    const { index, body, topics } = read.evaluate(args, view);
    return { index: Math.max(1, index), body, topics: [...topics, ...also] };
  }
  const topics = [...read.topics(args, view), ...also];
  return { index: Math.max(1, read.index(args, view)), body: read.body(args, view), topics };
}
