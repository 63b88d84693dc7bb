// A socket to a deployment that is refused: what was said with it, and no more than that, from whoever says it.

import { Agent, createServer, type Server } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { afterEach, expect, test } from "vitest";

import { openDeploymentSocket, Refused } from "../../src/agent/link/deployment-socket.ts";

const servers: Server[] = [];
const sockets: Socket[] = [];

afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
  for (const server of servers.splice(0)) server.close();
});

/** Refuses in chunks; `more` says the rest. */
async function refusing(more: (socket: Socket) => void): Promise<string> {
  const server = createServer();
  servers.push(server);
  server.on("upgrade", (_request, socket: Socket) => {
    sockets.push(socket);
    socket.on("error", () => socket.destroy());
    socket.write("HTTP/1.1 403 Forbidden\r\ntransfer-encoding: chunked\r\n\r\n");
    socket.write(chunk("no"));
    more(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `ws://127.0.0.1:${(server.address() as AddressInfo).port}/link`;
}

function chunk(text: string): string {
  return `${text.length.toString(16)}\r\n${text}\r\n`;
}

function every(ms: number, text: string): (socket: Socket) => void {
  return (socket) => {
    const timer = setInterval(() => socket.write(chunk(text)), ms);
    socket.on("close", () => clearInterval(timer));
  };
}

async function refusal(url: string, timeoutMs: number): Promise<Error> {
  const opening = openDeploymentSocket(url, {}, { agent: new Agent(), timeoutMs });
  return await opening.then(
    () => new Error("it was opened"),
    (failure: unknown) => failure as Error,
  );
}

test("a refusal is its status and its text", async () => {
  const url = await refusing((socket) => socket.end("0\r\n\r\n"));
  expect(await refusal(url, 5_000)).toEqual(new Refused(403, "no"));
});

test("of a refusal without end only the beginning is taken", async () => {
  const failure = await refusal(await refusing(every(1, "y".repeat(4_096))), 60_000);
  expect(failure).toEqual(new Refused(403, `no${"y".repeat(198)}`));
});

test("who says it byte by byte is left when the time is over", async () => {
  const failure = await refusal(await refusing(every(20, "y")), 300);
  expect(failure.message).toMatch(/^403 noy+$/);
});

test("so is who says nothing more", async () => {
  const failure = await refusal(await refusing(() => undefined), 300);
  expect(failure.message).toMatch(/^Opening handshake has timed out$|^403 no$/);
});
