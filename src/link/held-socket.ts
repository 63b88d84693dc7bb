// A WebSocket of Node as a link uses it.

import type { LinkSocket } from "./client.ts";

/** A socket whose frames, and whose end, may come before anybody listens. */
export function heldSocket(socket: WebSocket): LinkSocket {
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
      else (socket as EventTarget).addEventListener(type, listener as unknown as () => void);
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
