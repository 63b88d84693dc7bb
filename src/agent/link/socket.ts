// Opens a WebSocket from Node. Whether its far end still lives is the business of whoever uses it (link/liveness.ts).

import type { LinkSocket } from "../../link/client.ts";

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
  const held = asLinkSocket(socket);
  await opened(socket);
  return held;
}

/** A socket whose frames, and whose end, may come before anybody listens. */
export function asLinkSocket(socket: WebSocket): LinkSocket {
  const held = holdMessages(socket);
  const early = holdClose(socket);
  return {
    get bufferedAmount() {
      return socket.bufferedAmount;
    },
    send: (frame) => socket.send(frame),
    close: (code, reason) => socket.close(code, reason),
    accept: held.release,
    addEventListener: (type: string, listener: (event: never) => void) => {
      if (type === "message") held.listeners.push(listener as unknown as MessageListener);
      else if (type === "close") early.listen(listener as unknown as (event: Event) => void);
      else socket.addEventListener(type, listener as unknown as () => void);
    },
  };
}

/** The other end may close before anybody listens, too; who listens then is told all the same. */
function holdClose(socket: WebSocket): { listen(listener: (event: Event) => void): void } {
  let closed: Event | null = null;
  socket.addEventListener("close", (event: Event) => {
    closed = event;
  });
  return {
    listen: (listener) => {
      const event = closed;
      if (event === null) socket.addEventListener("close", listener);
      else queueMicrotask(() => listener(event));
    },
  };
}

type MessageListener = (event: { data: unknown }) => void;

/** Frames may arrive before anybody listens; they are kept until `release`. */
function holdMessages(socket: WebSocket): { listeners: MessageListener[]; release(): void } {
  const listeners: MessageListener[] = [];
  let early: { data: unknown }[] | null = [];
  socket.addEventListener("message", (event: { data: unknown }) => {
    if (early) early.push(event);
    else for (const listener of listeners) listener(event);
  });
  const release = (): void => {
    const events = early ?? [];
    early = null;
    for (const event of events) for (const listener of listeners) listener(event);
  };
  return { listeners, release };
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
