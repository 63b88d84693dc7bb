// What a pool and an agent that probes others say to each other on the gossip socket, beside what any member hears
// (`protocol.ts`): who else there is, doubts, and questions with their answers.

import { isRecord } from "../core/lib/record.ts";

/** An agent that listens for datagrams. */
export interface GossipPeer {
  name: string;
  host: string;
  port: number;
}

/**
 * `reach`: whether this agent can reach another one; answered with true or false. `relayed`: what another agent asks of
 * all of them, which no pool can read; answered with a text of the same kind.
 */
export type PoolQuestion = { reach: GossipPeer } | { relayed: string };
export type PoolAnswer = boolean | string;

/** A member's name, and what it answered; null for nothing. */
export type RelayedAnswer = [name: string, text: string | null];

export type PoolFrame =
  | { peers: GossipPeer[] }
  /** Give a sign of life at once. */
  | { doubt: true }
  | { ask: { id: number; question: PoolQuestion } }
  /** What came of a relay. */
  | { relayed: { id: number; answers: RelayedAnswer[] } };

export type AgentFrame =
  /** Names of members that did not answer by any way. */
  | { unreachable: string[] }
  | { answer: { id: number; value: PoolAnswer } }
  /** Ask every member of every pool. */
  | { relay: { id: number; text: string } };

/** Of what an agent says; a longer frame is malformed. */
export const agentFrameLengthMax = 16_384;
/** A pool names so many; whoever joins later makes itself known. */
export const peersMax = 16;
/** One frame complains of so many. */
export const namesMax = 16;

export function encodePoolFrame(frame: PoolFrame): string {
  return JSON.stringify(frame);
}

/** Null for any other frame of a gossip socket. */
export function decodePoolFrame(frame: unknown): PoolFrame | null {
  const fields = typeof frame === "string" ? recordOf(frame) : null;
  if (!fields) return null;
  const { peers, doubt, ask, relayed } = fields;
  if (Array.isArray(peers)) return { peers: peers.filter(isPeer).slice(0, peersMax) };
  if (doubt === true) return { doubt };
  if (isRecord(relayed) && Number.isSafeInteger(relayed.id) && Array.isArray(relayed.answers)) {
    const answers = relayed.answers.filter(isRelayedAnswer);
    return { relayed: { id: Number(relayed.id), answers } };
  }
  return decodeQuestion(ask);
}

function decodeQuestion(ask: unknown): PoolFrame | null {
  if (!isRecord(ask) || !Number.isSafeInteger(ask.id) || !isRecord(ask.question)) return null;
  const id = Number(ask.id);
  const { reach, relayed } = ask.question;
  if (typeof relayed === "string") return { ask: { id, question: { relayed } } };
  return isPeer(reach) ? { ask: { id, question: { reach } } } : null;
}

export function isRelayedAnswer(value: unknown): value is RelayedAnswer {
  if (!Array.isArray(value) || typeof value[0] !== "string") return false;
  return value[1] === null || typeof value[1] === "string";
}

export function encodeAgentFrame(frame: AgentFrame): string {
  return JSON.stringify(frame);
}

/** Null for what no agent says. */
export function decodeAgentFrame(frame: string | Uint8Array): AgentFrame | null {
  const isText = typeof frame === "string" && frame.length <= agentFrameLengthMax;
  const fields = isText ? recordOf(frame) : null;
  if (!fields) return null;
  const { unreachable, answer, relay } = fields;
  if (Array.isArray(unreachable)) {
    const names = unreachable.filter((name): name is string => typeof name === "string");
    return { unreachable: names.slice(0, namesMax) };
  }
  if (isRecord(relay) && Number.isSafeInteger(relay.id) && typeof relay.text === "string") {
    return { relay: { id: Number(relay.id), text: relay.text } };
  }
  if (!isRecord(answer) || !Number.isSafeInteger(answer.id)) return null;
  const { id, value } = answer;
  const isAnswer = typeof value === "boolean" || typeof value === "string";
  return isAnswer ? { answer: { id: Number(id), value } } : null;
}

function recordOf(frame: string): Record<string, unknown> | null {
  if (!frame.startsWith("{")) return null;
  try {
    const value = JSON.parse(frame) as unknown;
    return isRecord(value) ? value : null;
  } catch {
    return null;
  }
}

function isPeer(value: unknown): value is GossipPeer {
  if (!isRecord(value)) return false;
  const { name, host, port } = value;
  const isNamed = typeof name === "string" && name !== "" && typeof host === "string";
  return isNamed && isGossipPort(port);
}

export function isGossipPort(value: unknown): value is number {
  return Number.isInteger(value) && Number(value) > 0 && Number(value) <= 65_535;
}
