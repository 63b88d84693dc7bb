// Opens a WebSocket to a deployment, or by TLS to a server. Node's own takes neither a proxy nor authorities of one's
// own, and does not say what a refusal says; the package does.

import type { LinkSocket } from "../../link/client.ts";
import { heldSocket } from "../../link/held-socket.ts";
import type { OutsideAgent } from "./outside.ts";

const handshakeMs = 10_000;
const refusalLengthMax = 200;

/** A status, and what was said with it. */
export class Refused extends Error {
  override name = "Refused";
  readonly status: number;

  constructor(status: number, text: string) {
    super(`${status} ${text}`);
    this.status = status;
  }
}

export interface DialOptions {
  agent: OutsideAgent;
  timeoutMs?: number;
  compress?: boolean;
}

/** Resolves when the socket can send. Rejects with Refused, or with why nobody answers. */
export async function openDeploymentSocket(
  url: string,
  headers: Record<string, string>,
  { agent, timeoutMs = handshakeMs, compress = true }: DialOptions,
): Promise<LinkSocket> {
  // Loaded by those who join a deployment only.
  const { WebSocket } = await import("ws");
  const socket = new WebSocket(url, {
    ...{ headers, agent, handshakeTimeout: timeoutMs, perMessageDeflate: compress },
  });
  const held = heldSocket(socket as unknown as globalThis.WebSocket);
  await new Promise<void>((resolve, reject) => {
    socket.once("open", resolve);
    socket.once("error", reject);
    socket.once("unexpected-response", (_request, response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (part: string) => {
        text += part;
        if (text.length >= refusalLengthMax) response.destroy();
      });
      // Who refuses and says no end of it is left.
      const late = setTimeout(() => response.destroy(), timeoutMs);
      response.on("close", () => {
        clearTimeout(late);
        reject(new Refused(response.statusCode ?? 0, text.slice(0, refusalLengthMax)));
      });
    });
  });
  return held;
}
