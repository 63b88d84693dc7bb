// Checks that no agent runs: registered at the Worker's URL, run by a Checker in workerd, against servers of this host.

import { createServer, type IncomingMessage, type Server } from "node:http";
import { once } from "node:events";
import { createServer as createTcpServer } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";

import { eventually } from "../support/eventually.ts";
import { freePort } from "../support/free-ports.ts";
import { Proconsul, request, stopAll } from "../support/proconsul.ts";

/** Two ticks, and what a loaded machine takes beside. */
const limitMs = 40_000;

let agent: Proconsul;
let server: Server;
let port: number;
let status = 200;
const asked: IncomingMessage[] = [];

beforeAll(async () => {
  port = await freePort();
  server = createServer((incoming, response) => {
    asked.push(incoming);
    const isMoved = incoming.url === "/moved";
    if (isMoved) response.writeHead(302, { location: "/there" }).end();
    else response.writeHead(status).end("hello from the service");
  });
  await once(server.listen(port, "127.0.0.1"), "listening");
  agent = await Proconsul.start({ edge: true, args: ["-dev"] });
});
afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await stopAll();
});

async function register(definition: object): Promise<void> {
  const url = `${agent.workerUrl}/v1/agent/service/register`;
  const answer = await request(url, { method: "PUT", body: definition });
  expect(answer.text).toBe("");
}

async function checkOf(service: string): Promise<{ Status: string; Output: string } | undefined> {
  const checks = (await request(`${agent.workerUrl}/v1/health/checks/${service}`)).json<
    { Status: string; Output: string }[]
  >();
  return checks[0];
}

async function becomes(service: string, wanted: string, output: string): Promise<void> {
  await eventually(
    async () => {
      const check = await checkOf(service);
      return check?.Status === wanted && check.Output.includes(output);
    },
    { what: `${service} is ${wanted}`, limitMs },
  );
}

test(
  "an HTTP check, with its method, headers, body and a redirect",
  { timeout: 120_000 },
  async () => {
    const http = {
      ...{ HTTP: `http://127.0.0.1:${port}/moved`, Method: "POST", Body: "{}", Interval: "10s" },
      Header: { "X-Key": ["abc"] },
    };
    await register({ Name: "web", Port: port, Check: http });
    await becomes("web", "passing", "200 OK Output: hello from the service");
    const [first, second] = asked;
    expect([first?.method, first?.url, first?.headers["x-key"]]).toEqual(["POST", "/moved", "abc"]);
    expect([second?.method, second?.url]).toEqual(["GET", "/there"]);
    status = 503;
    await becomes("web", "critical", "503 Service Unavailable");
  },
);

test("a TCP check", { timeout: 120_000 }, async () => {
  const tcp = createTcpServer((socket) => socket.on("error", () => undefined));
  const tcpPort = await freePort();
  await once(tcp.listen(tcpPort, "127.0.0.1"), "listening");
  await register({
    Name: "db",
    Port: tcpPort,
    Check: { TCP: `127.0.0.1:${tcpPort}`, Interval: "10s" },
  });
  await becomes("db", "passing", `TCP connect 127.0.0.1:${tcpPort}: Success`);
  tcp.close();
  await becomes("db", "critical", "");
});
