// HTTP as bytes, for requests that no client would send.

import { request } from "node:http";
import { connect } from "node:net";

/** Writes `parts` to a new connection and gives all that came back until it was closed. */
export function rawHttp(port: number, ...parts: readonly (string | Buffer)[]): Promise<string> {
  let answer = "";
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => {
      for (const part of parts) socket.write(part);
    });
    socket.setEncoding("latin1");
    socket.on("data", (text: string) => {
      answer += text;
    });
    socket.on("error", () => resolve(answer));
    socket.on("close", () => resolve(answer));
  });
}

/** A request that asks for the connection to be closed after its answer. */
export function rawRequest(line: string, headers: readonly string[], body = ""): string {
  const head = [`${line} HTTP/1.1`, ...headers, "connection: close"];
  return `${head.join("\r\n")}\r\n\r\n${body}`;
}

export function statusOf(answer: string): number {
  return Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1] ?? 0);
}

/** The status with which a request to become a WebSocket is answered; 101 when it became one, which is then closed. */
export function upgradeStatus(url: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = {
      connection: "Upgrade",
      upgrade: "websocket",
      "sec-websocket-version": "13",
      "sec-websocket-key": Buffer.alloc(16).toString("base64"),
    };
    const asked = request(url, { headers, agent: false });
    asked.on("response", (response) => {
      response.destroy();
      resolve(response.statusCode ?? 0);
    });
    asked.on("upgrade", (_response, socket) => {
      socket.destroy();
      resolve(101);
    });
    asked.on("error", reject);
    asked.end();
  });
}
