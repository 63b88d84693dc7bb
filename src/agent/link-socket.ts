// Opens the link's WebSocket from Node and keeps it alive: a ping that the platform answers without waking the
// server, and an end to a link on which nothing, not even that answer, was heard for two pings.

import { linkPing, linkPingIntervalMs } from "../link/protocol.ts";
import type { LinkSocket } from "../link/client.ts";

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
export async function openSocket(
  target: SocketTarget,
  pingIntervalMs: number = linkPingIntervalMs,
): Promise<LinkSocket> {
  const socket = new HeaderWebSocket(target.url, { headers: target.headers });
  await opened(socket);
  keepAlive(socket, pingIntervalMs);
  return socket;
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

function keepAlive(socket: WebSocket, pingIntervalMs: number): void {
  let heard = true;
  const timer = setInterval(() => {
    if (!heard) return socket.close(4_000, "no answer to ping");
    heard = false;
    socket.send(linkPing);
  }, pingIntervalMs);
  timer.unref();
  socket.addEventListener("message", () => {
    heard = true;
  });
  socket.addEventListener("close", () => clearInterval(timer));
}
