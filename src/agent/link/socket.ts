// Opens a WebSocket from Node. Whether its far end still lives is the business of whoever uses it (link/liveness.ts).

import type { LinkSocket } from "../../link/client.ts";
import { heldSocket } from "../../link/held-socket.ts";

const connectTimeoutMs = 5_000;

export interface SocketTarget {
  /** `ws://host:port/link?…` */
  url: string;
  headers: Record<string, string>;
}

/** Node's constructor takes headers, which the DOM's typing does not know. */
const HeaderWebSocket = WebSocket as unknown as new (
  url: string,
  options: { headers: Record<string, string> },
) => WebSocket;

/** Resolves when the socket can send; rejects when it cannot be opened in time. */
export async function openSocket(target: SocketTarget): Promise<LinkSocket> {
  const socket = new HeaderWebSocket(target.url, { headers: target.headers });
  const held = heldSocket(socket);
  await opened(socket);
  return held;
}

function opened(socket: WebSocket): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(new Error("timed out"));
      socket.close();
    }, connectTimeoutMs);
    socket.addEventListener("open", () => {
      clearTimeout(timer);
      resolve();
    });
    const failed = (): void => {
      clearTimeout(timer);
      reject(new Error("connection refused"));
    };
    socket.addEventListener("error", failed);
    socket.addEventListener("close", failed);
  });
}
