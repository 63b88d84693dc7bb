// The same frame for many sockets.

import type { ObjectSocket } from "./platform.ts";

/** One that has just closed is left out: whoever was behind it comes back, and says what it has. */
export function sendToAll(sockets: readonly ObjectSocket[], frame: string): void {
  for (const socket of sockets) {
    try {
      socket.send(frame);
    } catch {
      // Its close is on the way.
    }
  }
}
