// What agents say to each other, as MessagePack. Each message fits one datagram; what room is left is filled with news.

import { PackError, type Packed, Packer, Unpacker } from "../../lib/msgpack.ts";
import { type MemberUpdate, type Peer, statuses } from "./members.ts";

/** Of a message, before it is sealed: with the seal it stays below 1,400 bytes. */
export const messageBytesMax = 1_340;
const updatesMax = 64;
const nameBytesMax = 256;
const incarnationMax = 2 ** 52;

/** An agent as it names itself. */
export interface Introduction extends Peer {
  incarnation: number;
}

export type SwimMessage = (
  | { kind: "ping"; seq: number; to: string; from: Introduction }
  | { kind: "ack" | "nack"; seq: number }
  /** Ping somebody for me. */
  | { kind: "ask"; seq: number; target: Peer }
  | { kind: "gossip"; seq: number }
) & { updates: readonly MemberUpdate[] };

type Head<Message> = Message extends unknown ? Omit<Message, "updates"> : never;
export type SwimHead = Head<SwimMessage>;

const kinds = ["ping", "ack", "nack", "ask", "gossip"] as const;

/** `updates` are packed by {@link packUpdate}. */
export function packMessage(head: SwimHead, updates: readonly Uint8Array[]): Uint8Array {
  const packer = new Packer();
  packer.byte(kinds.indexOf(head.kind));
  packer.integer(head.seq);
  if (head.kind === "ping") {
    packer.text(head.to);
    packPeer(packer, head.from);
    packer.integer(head.from.incarnation);
  } else if (head.kind === "ask") packPeer(packer, head.target);
  for (const update of updates) packer.packed(update);
  return packer.take();
}

export function packUpdate(update: MemberUpdate): Uint8Array {
  const packer = new Packer();
  packer.byte(statuses.indexOf(update.status));
  packPeer(packer, update);
  packer.integer(update.incarnation);
  packer.text(update.by);
  return packer.take();
}

function packPeer(packer: Packer, { name, host, port }: Peer): void {
  packer.text(name);
  packer.text(host);
  packer.integer(port);
}

/** Null for what no agent says. */
export function unpackMessage(bytes: Uint8Array): SwimMessage | null {
  try {
    const unpacker = new Unpacker(bytes);
    const kind = kinds[unpacker.byte()];
    const seq = whole(unpacker.value(), 0xffff_ffff);
    if (kind === undefined) return null;
    if (kind === "ping") {
      const to = text(unpacker.value());
      const from = { ...peer(unpacker), incarnation: whole(unpacker.value(), incarnationMax) };
      return { kind, seq, to, from, updates: rest(unpacker) };
    }
    if (kind === "ask") return { kind, seq, target: peer(unpacker), updates: rest(unpacker) };
    return { kind, seq, updates: rest(unpacker) };
  } catch (failure) {
    if (failure instanceof PackError) return null;
    throw failure;
  }
}

function rest(unpacker: Unpacker): MemberUpdate[] {
  const updates: MemberUpdate[] = [];
  while (!unpacker.isAtEnd) {
    const status = statuses[unpacker.byte()];
    if (status === undefined || updates.length >= updatesMax) throw new PackError("no news");
    const of = peer(unpacker);
    const incarnation = whole(unpacker.value(), incarnationMax);
    updates.push({ status, ...of, incarnation, by: text(unpacker.value()) });
  }
  return updates;
}

function peer(unpacker: Unpacker): Peer {
  const name = text(unpacker.value());
  const host = text(unpacker.value());
  const port = whole(unpacker.value(), 0xffff);
  if (name === "") throw new PackError("a member has a name");
  return { name, host, port };
}

const decoder = new TextDecoder();

function text(value: Packed): string {
  if (!(value instanceof Uint8Array) || value.length > nameBytesMax) throw new PackError("no text");
  return decoder.decode(value);
}

function whole(value: Packed, max: number): number {
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0 && value <= max)
    return value;
  throw new PackError("no count");
}
