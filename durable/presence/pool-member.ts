// What an agent says of itself when it opens its gossip socket, and what the socket keeps of it.

import { limits } from "../../src/core/model/limits.ts";
import { isGossipPort } from "../../src/link/pool-frames.ts";
import type { ObjectSocket } from "../platform/platform.ts";

/** In UTF-16 units, so that twice as many bytes fit a socket's attachment. */
const memberLengthMax = 4_096;

/** What an agent says of itself when it joins. */
export interface JoiningMember {
  name: string;
  id: string;
  address: string;
  /** Where it listens for datagrams; absent: nowhere. */
  port?: number;
}

/** A member's socket, as long as it lives. */
export interface SocketMember extends JoiningMember {
  openedMs: number;
  /** Id of the live member that has the name already; null for a socket that may be taken in. */
  heldBy: string | null;
  /** What it told of the user events that it has; absent: nothing. */
  known?: string;
  /** It has said that it leaves. */
  left?: true;
  /** Accessor of the token that it showed; absent: none. */
  bearer?: string;
}

/** Parameter by which the Worker says whose socket it is; never taken from whoever asks. */
export const bearerParameter = "as";

export function memberOf(socket: ObjectSocket): SocketMember {
  return socket.attachment as unknown as SocketMember;
}

/** When the socket last gave a sign of life. */
export function heardMs(socket: ObjectSocket): number {
  return socket.autoAnsweredMs ?? memberOf(socket).openedMs;
}

export function nameOf(socket: ObjectSocket): string {
  return memberOf(socket).name;
}

/** The value of a query parameter, decoded; null when it is missing or cannot be. */
export function parameter(query: string, name: string): string | null {
  const pair = query.split("&").find((text) => text.startsWith(`${name}=`));
  if (pair === undefined) return null;
  try {
    return decodeURIComponent(pair.slice(name.length + 1).replaceAll("+", " "));
  } catch {
    return null;
  }
}

export function parseMember(text: string | null): JoiningMember | null {
  if (text === null || text.length > memberLengthMax) return null;
  try {
    const { name, id, address, port } = JSON.parse(text) as Record<string, unknown>;
    if (typeof name !== "string" || typeof id !== "string" || typeof address !== "string")
      return null;
    const isName = name !== "" && bytesOf(name) <= limits.socketTagBytesMax;
    return isName ? { name, id, address, ...(isGossipPort(port) && { port }) } : null;
  } catch {
    return null;
  }
}

function bytesOf(text: string): number {
  return new TextEncoder().encode(text).length;
}
