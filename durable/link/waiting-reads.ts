// Blocking reads of all links of a server: who waits for which question, and with which index. A question is evaluated
// once for all who ask it, when something that it depends on was touched (evaluation-queue.ts). Deadlines are the
// asker's business, so that waiting needs no timer here and the object may sleep; what waits while it sleeps is kept in
// the sockets' attachments (registrations.ts).

import { ServiceError } from "../../src/core/model/errors.ts";
import { limits } from "../../src/core/model/limits.ts";
import type { Evaluated } from "../../src/core/state/machine.ts";
import { isPermissionTopic } from "../../src/core/state/tables/acl/topics.ts";
import { type Topic, WatchRegistry } from "../../src/core/state/watch.ts";
import { isNews, type ReadRequest } from "../../src/link/protocol.ts";
import type { Timers } from "../../src/ports/timers.ts";
import type { ObjectSocket } from "../platform/platform.ts";
import { EvaluationQueue, isHeavy } from "./evaluation-queue.ts";
import { type Question, SocketWaits, type Waiter } from "./socket-waits.ts";
import { attachmentOf, type QuestionOf, registrationsIn } from "./registrations.ts";

export interface WaitingReadsParts {
  timers: Timers;
  /** Whether the state is whole now. */
  serves(): boolean;
  /** Throws ServiceError. */
  evaluate(request: ReadRequest): Evaluated;
  answer(socket: ObjectSocket, request: ReadRequest, evaluated: Evaluated): void;
  fail(socket: ObjectSocket, id: number, failure: unknown): void;
}

export class WaitingReads {
  readonly #parts: WaitingReadsParts;
  readonly #watches = new WatchRegistry<Question>();
  readonly #questions = new Map<string, Question>();
  readonly #waits = new SocketWaits();
  readonly #queue: EvaluationQueue<Question>;
  /** Due, but the state is not whole. */
  readonly #held = new Set<Question>();

  constructor(parts: WaitingReadsParts) {
    this.#parts = parts;
    this.#queue = new EvaluationQueue({
      timers: parts.timers,
      evaluate: (question) => this.#evaluate(question),
      rested: () => this.#forgetUnasked(),
    });
  }

  /** Reads that wait. */
  get size(): number {
    return this.#waits.size;
  }

  /** After a construction: takes over what sockets kept. Gives back those that did not keep everything. */
  resume(sockets: readonly ObjectSocket[]): ObjectSocket[] {
    return sockets.filter((socket) => {
      const kept = registrationsIn(socket.attachment);
      if (kept === null) {
        // From now on it waits for nothing, until it asks again.
        socket.attachment = attachmentOf([]);
        return true;
      }
      for (const { question: asked, topics, ...held } of kept) {
        const question = this.#question(asked);
        this.#watch(question, topics);
        this.#waits.join({ ...held, socket, question });
      }
      return false;
    });
  }

  /**
   * Lets a read wait for a heavy question that was evaluated a moment ago, and will be again in its turn. False when
   * there is none. Throws ServiceError.
   */
  joinHeavy(socket: ObjectSocket, request: ReadRequest): boolean {
    const question = this.#questions.get(keyOf(request));
    if (!question || !isHeavy(question) || !this.#queue.resting) return false;
    this.#join(socket, request, question);
    this.#touch(question, false);
    return true;
  }

  /** Registers a read for which there is no news. Throws ServiceError when too many wait on this socket. */
  add(socket: ObjectSocket, request: ReadRequest, evaluated: Evaluated): void {
    const question = this.#question(request);
    this.#join(socket, request, question);
    this.#weigh(question, evaluated);
    this.#watch(question, evaluated.topics);
    if (isHeavy(question)) this.#queue.rest(question.answerLength);
  }

  /** Whether something waits on a socket beside what is here, which it cannot keep. */
  holdsMore(socket: ObjectSocket, holds: boolean): void {
    this.#waits.holdsMore(socket, holds);
  }

  cancel(socket: ObjectSocket, id: number): void {
    const waiter = this.#waits.find(socket, id);
    if (waiter) this.#leave(waiter);
  }

  closed(socket: ObjectSocket): void {
    for (const waiter of this.#waits.closed(socket)) this.#left(waiter);
  }

  /**
   * Something that may be waited for changed. Whose permissions did is answered whatever the index: it may see less
   * now, or nothing.
   */
  touched(topics: readonly Topic[]): void {
    this.#resumeHeld();
    const permissions = topics.filter(isPermissionTopic);
    for (const question of this.#watches.fire(permissions)) this.#touch(question, true);
    for (const question of this.#watches.fire(topics)) this.#touch(question, false);
  }

  /** The whole state was replaced. */
  replaced(): void {
    this.#resumeHeld();
    for (const question of this.#watches.all()) this.#touch(question, true);
  }

  #touch(question: Question, replaced: boolean): void {
    question.replaced ||= replaced;
    if (question.due) return;
    question.due = true;
    this.#queue.add(question);
    for (const { socket } of question.waiters) this.#waits.changed(socket);
  }

  #resumeHeld(): void {
    for (const question of this.#held) this.#queue.add(question);
    this.#held.clear();
  }

  /** Answers whom there is news for, within a turn's measure. Gives back the length of what it wrote. */
  #evaluate(question: Question): number {
    if (!this.#parts.serves()) {
      // Half a state is nobody's answer. What makes it whole touches something, or replaces everything.
      this.#held.add(question);
      return 0;
    }
    const { replaced } = question;
    question.due = false;
    question.replaced = false;
    if (question.waiters.size === 0) return 0;
    let evaluated: Evaluated;
    try {
      evaluated = this.#parts.evaluate({ ...question.asked, id: 0 });
    } catch (failure) {
      for (const waiter of [...question.waiters]) {
        this.#leave(waiter);
        this.#parts.fail(waiter.socket, waiter.id, failure);
      }
      return 0;
    }
    this.#weigh(question, evaluated);
    const length = this.#answer(question, evaluated, replaced);
    // What is waited for may depend on the answer itself.
    if (this.#questions.has(question.key)) this.#watch(question, evaluated.topics);
    return length;
  }

  #answer(question: Question, evaluated: Evaluated, replaced: boolean): number {
    let length = 0;
    for (const waiter of [...question.waiters]) {
      const { socket, id } = waiter;
      // It is no longer due, which its socket has to keep.
      this.#waits.changed(socket);
      if (!replaced && !isNews(evaluated.index, waiter)) continue;
      if (length >= limits.answersPerTurnLengthMax) {
        this.#touch(question, replaced);
        break;
      }
      length += question.answerLength;
      this.#leave(waiter);
      this.#parts.answer(socket, { ...question.asked, id }, evaluated);
    }
    return question.answerLength + length;
  }

  #question({ read, args, token, consistency }: QuestionOf): Question {
    const asked: QuestionOf = {
      read,
      args,
      ...(token !== undefined && { token }),
      ...(consistency !== undefined && { consistency }),
    };
    const key = keyOf(asked);
    const known = this.#questions.get(key);
    if (known) return known;
    const state = { due: false, replaced: false, answerLength: 0 };
    const question: Question = { key, asked, topics: [], waiters: new Set(), ...state };
    this.#questions.set(key, question);
    return question;
  }

  #weigh(question: Question, { body }: Evaluated): void {
    question.answerLength = body?.length ?? 0;
  }

  #watch(question: Question, topics: readonly Topic[]): void {
    this.#watches.register(topics, question);
    if (sameTopics(question.topics, topics)) return;
    question.topics = topics;
    for (const waiter of question.waiters) this.#waits.repack(waiter);
  }

  #join(socket: ObjectSocket, { id, minIndex, follows }: ReadRequest, question: Question): void {
    if (this.#waits.countOn(socket) >= limits.waitingReadsPerLinkMax) {
      this.#forgetIfUnasked(question);
      throw new ServiceError("too-many-requests", "too many blocking queries");
    }
    const earlier = this.#waits.find(socket, id);
    if (earlier) this.#leave(earlier);
    this.#waits.join({
      socket,
      id,
      minIndex: minIndex ?? 0,
      ...(follows && { follows }),
      question,
    });
    this.#waits.changed(socket);
  }

  #leave(waiter: Waiter): void {
    this.#waits.leave(waiter);
    this.#left(waiter);
  }

  #left(waiter: Waiter): void {
    waiter.question.waiters.delete(waiter);
    this.#forgetIfUnasked(waiter.question);
  }

  /** A heavy question is remembered for a moment: who got its answer asks it again. */
  #forgetIfUnasked(question: Question): void {
    if (question.waiters.size > 0 || (isHeavy(question) && this.#queue.resting)) return;
    this.#questions.delete(question.key);
    this.#watches.remove(question);
  }

  #forgetUnasked(): void {
    for (const question of this.#questions.values()) this.#forgetIfUnasked(question);
  }
}

function keyOf({ read, args, token, consistency }: QuestionOf): string {
  return JSON.stringify([read, args, token, consistency]);
}

function sameTopics(left: readonly Topic[], right: readonly Topic[]): boolean {
  return left.length === right.length && left.every((topic, at) => topic === right[at]);
}
