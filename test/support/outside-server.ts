// A server that the contract of what lies outside is held against: in Node, beside whatever runs the tests.

import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

export interface OutsideServer {
  port: number;
  close(): void;
}

/** `/echo` redirects, with what it was sent; `/endless` never ends; `/silent` never begins. */
export async function serveOutside(): Promise<OutsideServer> {
  const server = createServer((request, response) => {
    request.on("error", () => undefined);
    response.on("error", () => undefined);
    if (request.url === "/silent") return;
    if (request.url === "/endless") {
      const more = (): void => {
        while (!response.destroyed && response.write("x".repeat(1_000)));
      };
      response.on("drain", more);
      more();
      return;
    }
    const key = String(request.headers["x-key"]);
    response.writeHead(302, { location: "/there" }).write(`${request.method} ${key} `);
    request.pipe(response);
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  const close = (): void => {
    server.closeAllConnections();
    server.close();
  };
  return { port, close };
}
