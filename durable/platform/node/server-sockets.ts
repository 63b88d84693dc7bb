// What the server port and the gossip port answer where the Node host runs the servers: HTTP and WebSockets in, calls
// and sockets of objects out. Who may ask was judged before.

import type { LinkSocket } from "../../../src/link/client.ts";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { type RawData, type WebSocket, WebSocketServer } from "ws";

import { type FrameCarrier, LocalClientSocket } from "../host/host-socket.ts";
import type { SocketInput } from "../host/object-host.ts";
import type { ServerDoor } from "./server-door.ts";

/** A snapshot's chunk and a batch of forwarded writes are far below. */
const bodyBytesMax = 33_554_432;

export class ServerSockets {
  readonly #door: ServerDoor;
  readonly #webSockets = new WebSocketServer({
    noServer: true,
    maxPayload: bodyBytesMax,
    // Agents here are near their servers: compressing a link costs both ends far more time than bytes cost.
    perMessageDeflate: false,
  });

  constructor(door: ServerDoor) {
    this.#door = door;
  }

  handle(request: IncomingMessage, response: ServerResponse): void {
    const chunks: Buffer[] = [];
    let bytes = 0;
    request.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= bodyBytesMax) chunks.push(chunk);
      else if (!response.headersSent) {
        response.writeHead(413, { connection: "close" }).end("too large");
      }
    });
    request.on("error", () => response.destroy());
    request.on("end", () => {
      if (bytes > bodyBytesMax) return;
      const [body = Buffer.alloc(0)] = chunks;
      void this.#answer(request, response, chunks.length > 1 ? Buffer.concat(chunks) : body);
    });
  }

  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const target = request.url ?? "/";
    const [path = "", query = ""] = target.split("?", 2);
    const refused = this.#door.refusal(path, query);
    if (refused) {
      socket.end(`HTTP/1.1 ${refused.status} Refused\r\nconnection: close\r\n\r\n`);
      return;
    }
    this.#webSockets.handleUpgrade(request, socket, head, (webSocket) => {
      const opened = this.#door.open(target, carrierTo(webSocket));
      webSocket.on("message", (data: RawData, isBinary: boolean) => {
        opened.received(isBinary ? new Uint8Array(data as Buffer) : (data as Buffer).toString());
      });
      webSocket.on("close", () => opened.lost());
      // A close follows.
      webSocket.on("error", () => undefined);
    });
  }

  /** A socket to this process's own servers, without a network in between. */
  dial(pathAndQuery: string): Promise<LinkSocket> {
    let input: SocketInput | null = null;
    const client = new LocalClientSocket({
      received: (frame) => queueMicrotask(() => input?.received(frame)),
      lost: () => queueMicrotask(() => input?.lost()),
    });
    input = this.#door.open(pathAndQuery, {
      send: (frame) => queueMicrotask(() => client.received(frame)),
      close: () => queueMicrotask(() => client.lost()),
    });
    return Promise.resolve(client);
  }

  close(): void {
    for (const client of this.#webSockets.clients) client.terminate();
    this.#webSockets.close();
  }

  async #answer(request: IncomingMessage, response: ServerResponse, body: Buffer): Promise<void> {
    const [path = ""] = (request.url ?? "/").split("?");
    try {
      const answer = await this.#door.rpc(path, body);
      response.writeHead(answer.status, { "content-length": Buffer.byteLength(answer.body) });
      response.end(answer.body);
    } catch (failure) {
      if (response.headersSent) response.destroy();
      else response.writeHead(500).end(String(failure));
    }
  }
}

function carrierTo(webSocket: WebSocket): FrameCarrier {
  return {
    get bufferedBytes() {
      return webSocket.bufferedAmount;
    },
    send: (frame) => webSocket.send(frame),
    close: (code, reason) => webSocket.close(code, reason),
  };
}
