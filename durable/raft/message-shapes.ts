// The shape of every Raft message as data: what arrives from a peer is held against it once, where the bytes come
// in, so that the core need not doubt what it is told.

import type { Envelope, Message, MessageType } from "../../src/core/raft/types.ts";

type Check = (value: unknown) => boolean;
type Fields<T extends MessageType> = Exclude<
  keyof Extract<Message, { type: T }>,
  keyof Envelope | "type"
>;
type Shapes = { readonly [T in MessageType]: Readonly<Record<Fields<T>, Check>> };

const text: Check = (value) => typeof value === "string";
const flag: Check = (value) => typeof value === "boolean";
const bytes: Check = (value) => value instanceof Uint8Array;
/** Terms, indexes, rounds and incarnations. */
const count: Check = (value) => Number.isSafeInteger(value) && (value as number) >= 0;
const orNull =
  (check: Check): Check =>
  (value) =>
    value === null || check(value);
const oneOf =
  (...words: readonly string[]): Check =>
  (value) =>
    words.includes(value as string);
const record = (fields: Readonly<Record<string, Check>>): Check => {
  const checks = Object.entries(fields);
  return (value) =>
    typeof value === "object" &&
    value !== null &&
    checks.every(([name, check]) => check((value as Record<string, unknown>)[name]));
};
const list =
  (check: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every(check);

const member = record({ id: text, name: text, address: text, voter: flag });
const configuration = record({ index: count, configuration: record({ members: list(member) }) });
const entry = record({
  index: count,
  term: count,
  kind: oneOf("command", "noop", "configuration"),
  data: bytes,
});

const position = { lastIndex: count, lastTerm: count } as const;
const chunk = { stream: count, sequence: count, round: count } as const;
const toIncarnation = count;

const shapes: Shapes = {
  preVote: position,
  preVoteReply: { toIncarnation, granted: flag },
  vote: { ...position, transferIncarnation: orNull(count) },
  voteReply: { toIncarnation, granted: flag },
  append: {
    prevIndex: count,
    prevTerm: count,
    entries: list(entry),
    commit: count,
    round: count,
    standDown: flag,
    compactable: count,
  },
  appendReply: {
    toIncarnation,
    round: count,
    outcome: oneOf("matched", "conflict", "stale", "snapshot"),
    index: count,
    hintIndex: count,
    hintTerm: count,
    commit: count,
  },
  snapshot: {
    ...chunk,
    data: bytes,
    final: orNull(record({ index: count, term: count, configuration })),
    baseIndex: count,
    baseTerm: count,
  },
  snapshotReply: { toIncarnation, ...chunk, outcome: oneOf("received", "restart", "stale") },
  timeoutNow: {},
  probe: { commit: count },
  probeReply: { toIncarnation, leading: flag },
};

const envelope = record({ from: text, to: text, term: count, incarnation: count });
const checks = Object.fromEntries(
  Object.entries(shapes).map(([type, fields]) => [type, record(fields)]),
) as Record<MessageType, Check>;

/** Throws TypeError on anything but a message. */
export function checkedMessage(value: unknown): Message {
  if (!envelope(value)) throw new TypeError("a peer's message has no envelope");
  const { type } = value as { type: unknown };
  if (typeof type !== "string" || !Object.hasOwn(shapes, type)) {
    throw new TypeError("a peer's message has no known type");
  }
  if (!checks[type as MessageType](value)) throw new TypeError(`malformed ${type}`);
  const message = value as Message;
  if (message.type === "append") checkSlice(message);
  return message;
}

/** Entries continue the log after `prevIndex`, and their terms do not go back. */
function checkSlice({
  entries,
  prevIndex,
  prevTerm,
  term,
}: Extract<Message, { type: "append" }>): void {
  let last = { index: prevIndex, term: prevTerm };
  for (const each of entries) {
    if (each.index !== last.index + 1 || each.term < last.term || each.term > term) {
      throw new TypeError("entries of an append are no slice of a log");
    }
    last = each;
  }
}
