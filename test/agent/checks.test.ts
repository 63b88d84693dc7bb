import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type RequestListener, type Server } from "node:http";
import { createServer as createTcpServer, type AddressInfo } from "node:net";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { httpProbe } from "../../src/agent/checks/http.ts";
import type { ProbeResult } from "../../src/agent/checks/probe.ts";
import { scriptProbe } from "../../src/agent/checks/script.ts";
import { tcpProbe } from "../../src/agent/checks/tcp.ts";
import { emptyCheck, type CheckDefinition } from "../../src/core/agent/definitions.ts";

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

/** A server on loopback; resolves to its address. */
async function serve(listener: RequestListener): Promise<string> {
  const server: Server = createServer(listener).listen(0, "127.0.0.1");
  closers.push(() => {
    server.closeAllConnections();
    server.close();
  });
  await once(server, "listening");
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A port that nobody listens on. */
async function closedPort(): Promise<number> {
  const server = createTcpServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

const check = (fields: Partial<CheckDefinition>): CheckDefinition => ({ ...emptyCheck, ...fields });
const idle = new AbortController().signal;
const runHttp = (fields: Partial<CheckDefinition>, limit = 4096): Promise<ProbeResult> =>
  httpProbe(check(fields), limit)(idle);
const runTcp = (tcp: string, timeoutMs = 0): Promise<ProbeResult> =>
  tcpProbe(check({ tcp, timeoutMs }))(idle);
const runScript = (
  fields: Partial<CheckDefinition>,
  limit = 4096,
  signal = idle,
): Promise<ProbeResult> => scriptProbe(check(fields), limit)(signal);

const httpOutput = async (http: string, timeoutMs = 0): Promise<string> =>
  (await runHttp({ http, timeoutMs })).output;

/** Resolves when no process has this id any more. */
async function gone(pid: number): Promise<void> {
  for (;;) {
    try {
      process.kill(pid, 0);
    } catch {
      return;
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
}

describe("HTTP checks", () => {
  test.each([
    [200, "passing"],
    [204, "passing"],
    [300, "critical"],
    [404, "critical"],
    [429, "warning"],
    [500, "critical"],
  ])("%i is %s", async (code, status) => {
    const address = await serve((_request, response) => void response.writeHead(code).end());
    expect((await runHttp({ http: `http://${address}/x` })).status).toBe(status);
  });

  test("send what they are told to send, and say who they are", async () => {
    const seen: unknown[] = [];
    const address = await serve((request, response) => {
      const { method, headers, url } = request;
      const { "user-agent": agent, accept, "x-a": own, host } = headers;
      let body = "";
      request.on("data", (chunk: Buffer) => (body += chunk.toString()));
      request.on("end", () => {
        seen.push({ method, url, agent, accept, own, host, body });
        response.end("fine");
      });
    });
    const http = `http://${address}/health?x=1`;
    const header = { "X-A": ["1", "2"], Host: ["web.example.com"] };
    const result = await runHttp({ http, method: "PUT", header, body: "ping" });
    expect(result).toEqual({ status: "passing", output: `HTTP PUT ${http}: 200 OK Output: fine` });
    expect(seen).toEqual([
      {
        method: "PUT",
        url: "/health?x=1",
        agent: "Consul Health Check",
        accept: "text/plain, text/*, */*",
        own: "1, 2",
        host: "web.example.com",
        body: "ping",
      },
    ]);
  });

  test("an IPv4 address in brackets is dialled, as Go does", async () => {
    const address = await serve((_request, response) => void response.end("fine"));
    const http = `http://${address.replace(/^[^:]+/, "[$&]")}/health`;
    expect(await runHttp({ http })).toEqual({
      status: "passing",
      output: `HTTP GET ${http}: 200 OK Output: fine`,
    });
  });

  test("read no more than is shown", async () => {
    const address = await serve((_request, response) => {
      // Never ends: reading it all would never end either.
      response.write("x".repeat(100_000));
    });
    const http = `http://${address}/`;
    expect(await runHttp({ http }, 10)).toEqual({
      status: "passing",
      output: `HTTP GET ${http}: 200 OK Output: ${"x".repeat(10)}`,
    });
  });

  test("follow ten redirects and not eleven, without credentials to another host", async () => {
    const authorizations: (string | undefined)[] = [];
    const other = await serve((request, response) => {
      authorizations.push(request.headers.authorization);
      response.end("there");
    });
    const address = await serve((request, response) => {
      const left = Number(request.url?.slice(1));
      const next = left === 0 ? `http://${other}/` : `/${left - 1}`;
      response.writeHead(302, { location: next }).end();
    });
    const header = { Authorization: ["secret"] };
    const good = await runHttp({ http: `http://${address}/9`, header });
    expect(good.status).toBe("passing");
    expect(authorizations).toEqual([undefined]);
    const http = `http://${address}/10`;
    expect(await runHttp({ http })).toEqual({
      status: "critical",
      output: `Get "${http}": stopped after 10 redirects`,
    });
  });

  test("say in Go's words why they failed", async () => {
    const port = await closedPort();
    expect(await httpOutput(`http://127.0.0.1:${port}/`)).toBe(
      `Get "http://127.0.0.1:${port}/": dial tcp 127.0.0.1:${port}: connect: connection refused`,
    );
    expect(await httpOutput("zz://x")).toBe('Get "zz://x": unsupported protocol scheme "zz"');
    const silent = await serve(() => {});
    expect(await httpOutput(`http://${silent}/`, 20)).toBe(
      `Get "http://${silent}/": context deadline exceeded ` +
        "(Client.Timeout exceeded while awaiting headers)",
    );
  });
});

describe("TCP checks", () => {
  test("pass when the connection opens", async () => {
    const address = await serve(() => {});
    expect(await runTcp(address)).toEqual({
      status: "passing",
      output: `TCP connect ${address}: Success`,
    });
  });

  test("say in Go's words why they failed", async () => {
    const port = await closedPort();
    expect(await runTcp(`127.0.0.1:${port}`)).toEqual({
      status: "critical",
      output: `dial tcp 127.0.0.1:${port}: connect: connection refused`,
    });
    expect(await runTcp("127.0.0.1")).toEqual({
      status: "critical",
      output: "dial tcp: address 127.0.0.1: missing port in address",
    });
  });
});

describe("script checks", () => {
  test.each([
    ["exit 0", "passing"],
    ["exit 1", "warning"],
    ["exit 2", "critical"],
    ["exit 255", "critical"],
  ])("%s is %s", async (line, status) => {
    expect((await runScript({ args: ["sh", "-c", line] })).status).toBe(status);
  });

  test("show both outputs, and of a long one the end", async () => {
    const { output } = await runScript({ args: ["sh", "-c", "echo out; echo err >&2"] });
    expect(output.split("\n").toSorted()).toEqual(["", "err", "out"]);
    const long = await runScript({ args: ["sh", "-c", "printf 0123456789"] }, 4);
    expect(long.output).toBe("Captured 4 of 10 bytes\n...\n6789");
  });

  test("that take too long are killed with everything they started", async () => {
    const directory = mkdtempSync(join(tmpdir(), "proconsul-script-"));
    closers.push(() => rmSync(directory, { recursive: true }));
    const pidFile = join(directory, "pid");
    const script = `sleep 300 & echo $! > ${pidFile}; wait`;
    const result = await runScript({ args: ["sh", "-c", script], timeoutMs: 500 });
    expect(result).toEqual({ status: "critical", output: "Timed out (500ms) running check" });
    await gone(Number(readFileSync(pidFile, "utf8")));
  });

  test("that cannot be started say so", async () => {
    expect(await runScript({ args: ["no-such-program-here"] })).toEqual({
      status: "critical",
      output: 'exec: "no-such-program-here": executable file not found in $PATH',
    });
  });

  test("end when the check is removed", async () => {
    const stop = new AbortController();
    const running = runScript({ args: ["sleep", "300"] }, 4096, stop.signal);
    stop.abort();
    expect((await running).status).toBe("critical");
  });
});
