// What waits on a socket, as the socket's own attachment keeps it while the object sleeps: for each waiting read the
// index that its asker holds, the question, and the topics that its answer depends on. So an object that wakes up
// evaluates what a write touches, and nothing else.
//
// An attachment holds 16 kB. When not everything fits, or something was touched that nobody has been told of yet, it
// only says that the socket has to be greeted: whoever is greeted by a new incarnation asks again (src/link/client.ts).

import type { Topic } from "../../src/core/state/watch.ts";
import type { ReadRequest } from "../../src/link/protocol.ts";
import type { SocketAttachment } from "../platform/platform.ts";

/** What entries may take together; the rest is left to what the platform adds. */
export const registrationBytesMax = 14_000;

export type QuestionOf = Pick<ReadRequest, "read" | "args" | "token" | "consistency">;

export interface Registration extends Pick<ReadRequest, "id" | "minIndex" | "follows"> {
  question: QuestionOf;
  topics: readonly Topic[];
}

/** In as few bytes as JSON allows: 0 stands for what is absent. */
export type Packed = readonly [
  id: number,
  minIndex: number,
  follows: 0 | 1,
  read: string,
  args: QuestionOf["args"],
  token: string | 0,
  consistency: NonNullable<QuestionOf["consistency"]> | 0,
  ...topics: Topic[],
];

/** Everything that waits, or null: the socket has to be greeted. */
export function attachmentOf(waiting: readonly Packed[] | null): SocketAttachment {
  return waiting === null ? { greet: true } : { waiting };
}

/** What {@link attachmentOf} made; a socket that was never written to has nothing that waits. */
export function registrationsIn(attachment: SocketAttachment): Registration[] | null {
  const { waiting = [], greet } = (attachment ?? {}) as { waiting?: Packed[]; greet?: true };
  return greet ? null : waiting.map(unpack);
}

export function pack({ id, minIndex = 0, follows, question, topics }: Registration): Packed {
  const { read, args, token = 0, consistency = 0 } = question;
  return [id, minIndex, follows ? 1 : 0, read, args, token, consistency, ...topics];
}

function unpack(packed: Packed): Registration {
  const [id, minIndex, follows, read, args, token, consistency, ...topics] = packed;
  const question: QuestionOf = {
    read,
    args,
    ...(token !== 0 && { token }),
    ...(consistency !== 0 && { consistency }),
  };
  return { id, minIndex, ...(follows === 1 && { follows: true }), question, topics };
}

/** Not less than an entry takes: the platform keeps text in one byte a letter if it can, else in two. */
export function bytesOf(packed: Packed): number {
  const text = JSON.stringify(packed);
  // oxlint-disable-next-line no-control-regex -- the range is what one byte holds
  return (/[^\0-\xff]/.test(text) ? 2 * text.length : text.length) + 1;
}
