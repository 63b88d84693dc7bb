// What a pool and an agent that probes others say to each other on the gossip socket, beside what any member hears
// (`protocol.ts`): who else there is, doubts, and questions with their answers.

import { isRecord } from "../core/lib/record.ts";

/** An agent that listens for datagrams. */
export interface GossipPeer {
  name: string;
  host: string;
  port: number;
}

/** `reach`: whether this agent can reach another one; answered with true or false. */
export interface PoolQuestion {
  reach: GossipPeer;
}

export type PoolFrame =
  | { peers: GossipPeer[] }
  /** Give a sign of life at once. */
  | { doubt: true }
  | { ask: { id: number; question: PoolQuestion } };

export type AgentFrame =
  /** Names of members that did not answer by any way. */
  { unreachable: string[] } | { answer: { id: number; value: boolean } };

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
  const { peers, doubt, ask } = fields;
  if (Array.isArray(peers)) return { peers: peers.filter(isPeer).slice(0, peersMax) };
  if (doubt === true) return { doubt };
  if (!isRecord(ask) || !Number.isSafeInteger(ask.id) || !isRecord(ask.question)) return null;
  const { reach } = ask.question;
  return isPeer(reach) ? { ask: { id: Number(ask.id), question: { reach } } } : null;
}

export function encodeAgentFrame(frame: AgentFrame): string {
  return JSON.stringify(frame);
}

/** Null for what no agent says. */
export function decodeAgentFrame(frame: string | Uint8Array): AgentFrame | null {
  const isText = typeof frame === "string" && frame.length <= agentFrameLengthMax;
  const fields = isText ? recordOf(frame) : null;
  if (!fields) return null;
  const { unreachable, answer } = fields;
  if (Array.isArray(unreachable)) {
    const names = unreachable.filter((name): name is string => typeof name === "string");
    return { unreachable: names.slice(0, namesMax) };
  }
  if (!isRecord(answer) || !Number.isSafeInteger(answer.id)) return null;
  const { id, value } = answer;
  return typeof value === "boolean" ? { answer: { id: Number(id), value } } : null;
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
