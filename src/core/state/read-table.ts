// What answers each read: one table, one entry per operation. An entry says which topics its answer depends
// on, which index it carries (semantics §2.1, exactly), and how the body is written. Bodies that take work are
// kept until one of the topics is touched; the index is always read anew, because it may move without them.

import { ServiceError } from "../model/errors.ts";
import { encodeString } from "../model/json.ts";
import type { JsonValue } from "../model/json.ts";
import { catalogReads } from "./catalog-reads.ts";
import { healthReads } from "./health-reads.ts";
import {
  encodeKvRow,
  findKey,
  keyIndex,
  keyNamesUnder,
  keysUnder,
  newestUnder,
  prefixIndex,
} from "./kv.ts";
import type { ReadCache } from "./read-cache.ts";
import type { ReadArguments, ReadName } from "./reads.ts";
import type { State } from "./schema.ts";
import { nameKey } from "./schema.ts";
import {
  allSessions,
  encodeSessionRow,
  findSession,
  sessionKey,
  sessionsOfNode,
} from "./session.ts";
import type { SessionRow } from "./session.ts";
import { runTransaction } from "./txn.ts";
import type { View } from "./view.ts";
import { requireRead } from "./view.ts";
import { topics } from "./watch.ts";
import type { Topic } from "./watch.ts";

export interface Evaluated {
  /** X-Consul-Index; at least 1. */
  index: number;
  /** JSON text; null when the thing asked for does not exist. */
  body: string | null;
  /** What to wait on for another answer. */
  topics: Topic[];
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

type ReadTable = {
  readonly [Op in ReadName]: KeptRead<ReadArguments[Op]> | PlainRead<ReadArguments[Op]>;
};

const reads: ReadTable = {
  "kv.get": {
    evaluate: ({ key }, view) => {
      requireRead(view, "key", key);
      const row = findKey(view, key);
      const body = row ? `[${encodeKvRow(row)}]` : null;
      return { index: keyIndex(view, row), body, topics: [topics.key(key)] };
    },
  },
  "kv.list": {
    evaluate: ({ prefix }, view) => {
      const rows = keysUnder(view, prefix).filter(({ key }) => mayRead(view, key));
      const body = rows.length === 0 ? null : `[${rows.map((row) => encodeKvRow(row)).join(",")}]`;
      return { index: indexUnder(view, prefix), body, topics: [topics.prefix(prefix)] };
    },
  },
  "kv.keys": {
    evaluate: ({ prefix, separator = "" }, view) => {
      const names = keyNamesUnder(view, prefix)
        .map(({ key }) => key)
        .filter((key) => mayRead(view, key));
      const cut = separator === "" ? names : [...new Set(names.map(cutAfter(prefix, separator)))];
      const body = `[${cut.map(encodeString).join(",")}]`;
      return {
        index: indexUnder(view, prefix),
        body: cut.length === 0 && prefix !== "" ? null : body,
        topics: [topics.prefix(prefix)],
      };
    },
  },
  "session.info": {
    evaluate: ({ id }, view) => {
      const row = findSession(view, id);
      return sessions(view, row ? [row] : [], topics.session(sessionKey(id)));
    },
  },
  "session.list": {
    evaluate: (_args, view) => sessions(view, allSessions(view), topics.sessions),
  },
  "session.node": {
    evaluate: ({ node }, view) =>
      sessions(view, sessionsOfNode(view, node), topics.sessionsOfNode(nameKey(node))),
  },
  "txn.read": {
    evaluate: ({ operations }, view) => {
      const change = { ...view, index: 0, touch: () => undefined };
      const { results, errors } = runTransaction(change, operations);
      const errorText = errors.length === 0 ? "null" : JSON.stringify(errors);
      const body = `{"Results":${results ?? "null"},"Errors":${errorText}}`;
      return { index: view.meta.index("kvs"), body, topics: [] };
    },
  },
  ...catalogReads,
  ...healthReads,
};

/** Answers a read. Throws ServiceError. */
export function evaluateRead(
  view: View,
  cache: ReadCache,
  op: ReadName,
  args: Record<string, JsonValue>,
): Evaluated {
  const read = reads[op] as KeptRead<unknown> | PlainRead<unknown> | undefined;
  if (!read) throw new ServiceError("malformed", `unknown read ${JSON.stringify(op)}`);
  if ("evaluate" in read) {
    const { index, body, topics: on } = read.evaluate(args, view);
    return { index: Math.max(1, index), body, topics: on };
  }
  const on = read.topics(args, view);
  return { index: Math.max(1, read.index(args, view)), body: keptBody(), topics: on };

  function keptBody(): string {
    const kept = read as KeptRead<unknown>;
    // What a token may see is not kept: its permissions may change without a topic.
    if (!view.authorizer.unrestricted) return kept.body(args, view);
    const question = `${op} ${JSON.stringify(args)}`;
    const known = cache.get(question);
    if (known !== undefined) return known;
    const body = kept.body(args, view);
    cache.put(question, on, body);
    return body;
  }
}

function mayRead(view: View, key: string): boolean {
  return view.authorizer.unrestricted || view.authorizer.allows("key", key, "read");
}

function indexUnder(view: View, prefix: string): number {
  return prefixIndex(view, prefix, prefix === "" ? 0 : newestUnder(view, prefix));
}

/** Shortens a key to what ends with the first separator beyond the prefix. */
function cutAfter(prefix: string, separator: string): (key: string) => string {
  return (key) => {
    const at = key.indexOf(separator, prefix.length);
    return at < 0 ? key : key.slice(0, at + separator.length);
  };
}

function sessions(view: View, rows: readonly SessionRow[], topic: Topic): Evaluated {
  const visible = rows.filter(
    (row) =>
      view.authorizer.unrestricted || view.authorizer.allows("session", row.node_key, "read"),
  );
  const body = `[${visible.map(encodeSessionRow).join(",")}]`;
  return { index: view.meta.index("sessions"), body, topics: [topic] };
}
