// A ServerHost whose servers live in another process of this host: passes requests on to its loopback port over
// connections that are kept, and WebSockets byte by byte. Only the headers that the Worker reads go along, so that
// nothing which was judged one way can be read another way there; the agent's key says that they were judged.

import {
  Agent,
  type ClientRequest,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  request as httpRequest,
  type ServerResponse,
} from "node:http";
import { connect } from "node:net";
import type { Duplex } from "node:stream";

import { agentKeyHeader } from "../../link/protocol.ts";
import { endRaw, type ServerHost } from "./server-port.ts";

/** A snapshot's chunk and a batch of forwarded writes are far below. */
const bodyBytesMax = 33_554_432;
const answerTimeoutMs = 30_000;
/** Shorter than workerd keeps an idle connection: it is this end that closes one, never under a request. */
const idleTimeoutMs = 3_000;

export class Forwarder implements ServerHost {
  readonly #port: number;
  readonly #agentKey: string;
  readonly #connections = new Agent({ keepAlive: true, timeout: idleTimeoutMs });

  /** `port`: where the servers listen on 127.0.0.1. */
  constructor(port: number, agentKey: string) {
    this.#port = port;
    this.#agentKey = agentKey;
  }

  handle(request: IncomingMessage, response: ServerResponse): void {
    const fail = (status: number, text: string): void => {
      onward.destroy();
      if (response.headersSent) response.destroy();
      else response.writeHead(status, { connection: "close" }).end(text);
    };
    const onward = this.#onward(request, passed(request, ["content-type", "content-length"]));
    onward.on("response", (answer) => {
      response.writeHead(answer.statusCode ?? 502, passed(answer, answerHeaders));
      answer.pipe(response);
      answer.on("error", () => response.destroy());
    });
    onward.on("timeout", () => fail(504, "the servers did not answer"));
    onward.on("error", (failure) => fail(502, `the servers cannot be reached: ${failure.message}`));
    response.on("close", () => {
      if (!response.writableFinished) onward.destroy();
    });
    if (Number(request.headers["content-length"]) > bodyBytesMax) return fail(413, "too large");
    let bytes = 0;
    request.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > bodyBytesMax) fail(413, "too large");
    });
    request.pipe(onward);
  }

  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const headers = passed(request, webSocketHeaders);
    const lines = Object.entries({ ...headers, [agentKeyHeader]: this.#agentKey });
    const onward = connect(this.#port, "127.0.0.1", () => {
      onward.setTimeout(0);
      onward.write(
        `GET ${request.url ?? "/"} HTTP/1.1\r\nhost: server\r\nconnection: Upgrade\r\nupgrade: websocket\r\n` +
          `${lines.map(([name, value]) => `${name}: ${String(value)}\r\n`).join("")}\r\n`,
      );
      onward.write(head);
      onward.pipe(socket);
      socket.pipe(onward);
    });
    onward.setNoDelay(true);
    onward.setTimeout(answerTimeoutMs, () => onward.destroy(new Error("timed out")));
    onward.on("error", () => {
      if (onward.bytesRead === 0) endRaw(socket, 502, "the servers cannot be reached");
      else socket.destroy();
    });
    onward.on("close", () => socket.end());
    socket.on("close", () => onward.destroy());
  }

  /** Drops the connections that are kept. */
  close(): void {
    this.#connections.destroy();
  }

  #onward(request: IncomingMessage, headers: OutgoingHttpHeaders): ClientRequest {
    return httpRequest({
      agent: this.#connections,
      host: "127.0.0.1",
      port: this.#port,
      method: "POST",
      path: request.url ?? "/",
      timeout: answerTimeoutMs,
      headers: { ...headers, [agentKeyHeader]: this.#agentKey },
    });
  }
}

const answerHeaders = ["content-type", "content-length"] as const;
const webSocketHeaders = [
  "sec-websocket-key",
  "sec-websocket-version",
  "sec-websocket-extensions",
  "sec-websocket-protocol",
] as const;

function passed({ headers }: IncomingMessage, names: readonly string[]): OutgoingHttpHeaders {
  return Object.fromEntries(
    names.flatMap((name) => (headers[name] === undefined ? [] : [[name, headers[name]]])),
  );
}
