// WebSockets that servers open to servers of other hosts.

import { WebSocket } from "ws";

import type { LinkSocket } from "../../../src/link/client.ts";
import { heldSocket } from "../../../src/link/held-socket.ts";
import type { connectionOptions } from "../../../src/link/peer-tls.ts";

const handshakeMs = 5_000;

/** Rejects when the other end refuses, or is silent. `tls`: options of node:tls, of a `wss:` URL. */
export async function dial(
  url: string,
  headers: Record<string, string>,
  tls: ReturnType<typeof connectionOptions> | null = null,
): Promise<LinkSocket> {
  const socket = new WebSocket(url, {
    ...(tls as object | null),
    ...{ headers, handshakeTimeout: handshakeMs, perMessageDeflate: false },
  });
  const held = heldSocket(socket as unknown as globalThis.WebSocket);
  await new Promise<void>((resolve, reject) => {
    socket.once("open", resolve);
    socket.once("unexpected-response", (request, response) => {
      request.destroy();
      reject(new Error(`no socket: status ${response.statusCode ?? 0}`));
    });
    // What fails after it was opened is told by a close.
    socket.on("error", reject);
  });
  return held;
}
