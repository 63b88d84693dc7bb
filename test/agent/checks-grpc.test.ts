// gRPC and Docker checks: against servers of the test, in the words recorded from Consul 1.8.7.

import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import {
  createServer as createHttpServer,
  type IncomingMessage,
  type ServerResponse,
} from "node:http";
import { createServer, type Http2Server, type ServerHttp2Stream } from "node:http2";
import { type AddressInfo, createServer as createTcpServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { dockerProbe } from "../../src/agent/checks/docker.ts";
import { grpcProbe } from "../../src/agent/checks/grpc.ts";
import type { ProbeResult } from "../../src/agent/checks/probe.ts";
import { type CheckDefinition, emptyCheck } from "../../src/core/agent/definitions.ts";

const idle = new AbortController().signal;

describe("gRPC", () => {
  let server: Http2Server;
  let address: string;
  let sessions: { destroy(): void }[];

  const answer = (stream: ServerHttp2Stream, message: Buffer): void => {
    const frame = Buffer.concat([Buffer.from([0, 0, 0, 0, message.length]), message]);
    stream.respond({ "content-type": "application/grpc" }, { waitForTrailers: true });
    stream.once("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
    stream.end(frame);
  };

  beforeEach(async () => {
    sessions = [];
    server = createServer();
    server.on("session", (session) => sessions.push(session));
    server.on("stream", (stream, headers) => {
      const chunks: Buffer[] = [];
      stream.on("error", () => undefined);
      stream.on("data", (chunk: Buffer) => chunks.push(chunk));
      stream.on("end", () => {
        expect(headers[":path"]).toBe("/grpc.health.v1.Health/Check");
        const service = Buffer.concat(chunks).subarray(7).toString();
        if (service === "" || service === "a/b") answer(stream, Buffer.from([8, 1]));
        else if (service === "down") answer(stream, Buffer.from([8, 2]));
        else if (service === "unsaid") answer(stream, Buffer.alloc(0));
        else if (service === "page")
          stream.respond({ "content-type": "text/html" }, { endStream: true });
        else if (service === "gone") stream.session?.destroy();
        else if (service !== "slow") {
          const said = { "grpc-status": "5", "grpc-message": "unknown%20service" };
          stream.respond({ "content-type": "application/grpc", ...said }, { endStream: true });
        }
      });
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterEach(() => {
    for (const session of sessions) session.destroy();
    server.close();
  });

  const run = (fields: Partial<CheckDefinition>): Promise<ProbeResult> =>
    grpcProbe({ ...emptyCheck, ...fields })(idle);

  test.each(["", "/a/b"])("SERVING passes: %j", async (service) => {
    const grpc = address + service;
    const output = `gRPC check ${grpc}: success`;
    expect(await run({ grpc })).toEqual({ status: "passing", output });
  });

  test.each([
    ["down", "gRPC application didn't report service healthy"],
    ["unsaid", "gRPC application didn't report service healthy"],
    ["missing", "rpc error: code = NotFound desc = unknown service"],
    [
      "page",
      'rpc error: code = Unknown desc = unexpected HTTP status code 200 and content-type "text/html"',
    ],
  ])("%s is critical", async (service, output) => {
    expect(await run({ grpc: `${address}/${service}` })).toEqual({ status: "critical", output });
  });

  test("a server that breaks off, is slow or is none is critical", async () => {
    expect((await run({ grpc: `${address}/gone` })).output).toContain("code = Unavailable");
    expect((await run({ grpc: `${address}/slow`, timeoutMs: 30 })).output).toBe(
      "rpc error: code = DeadlineExceeded desc = context deadline exceeded",
    );
    expect((await run({ grpc: "127.0.0.1" })).output).toContain(
      "Error while dialing dial tcp: address 127.0.0.1: missing port in address",
    );
    const closed = createTcpServer().listen(0, "127.0.0.1");
    await once(closed, "listening");
    const { port } = closed.address() as AddressInfo;
    closed.close();
    expect((await run({ grpc: `127.0.0.1:${port}` })).output).toBe(
      "rpc error: code = Unavailable desc = connection error: desc = " +
        `"transport: Error while dialing dial tcp 127.0.0.1:${port}: connect: connection refused"`,
    );
  });

  test("one that speaks something else is critical", async () => {
    const other = createTcpServer((socket) => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n"));
    other.listen(0, "127.0.0.1");
    await once(other, "listening");
    const grpc = `127.0.0.1:${(other.address() as AddressInfo).port}`;
    expect(await run({ grpc, timeoutMs: 2_000 })).toMatchObject({ status: "critical" });
    expect(await run({ grpc: address, grpcUseTls: true, timeoutMs: 2_000 })).toMatchObject({
      status: "critical",
    });
    other.close();
  });
});

describe("Docker", () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "proconsul-docker-"));
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  const run = (socket: string, limit = 4_096): Promise<ProbeResult> =>
    dockerProbe({ ...emptyCheck, dockerContainerId: "box", args: ["check", "it"] }, limit, {
      DOCKER_HOST: socket,
    })(idle);

  /** A Docker in which programs say `output` and end with `code`. */
  async function docker(
    output: string,
    code: number,
    createStatus = 201,
  ): Promise<{ socket: string; asked: string[]; close(): void }> {
    const asked: string[] = [];
    const reply = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
      let body = "";
      for await (const chunk of request) body += String(chunk);
      asked.push(`${request.method} ${request.url} ${body}`);
      if (request.url === "/containers/box/exec") {
        response.statusCode = createStatus;
        response.end(createStatus === 201 ? '{"Id":"e1"}' : '{"message":"No such container: box"}');
      } else if (request.url === "/exec/e1/start") response.end(output);
      else response.end(JSON.stringify({ ExitCode: code }));
    };
    const server = createHttpServer((request, response) => void reply(request, response));
    const path = join(directory, "docker.sock");
    await new Promise<void>((resolve) => void server.listen(path, resolve));
    return { socket: `unix://${path}`, asked, close: () => void server.close() };
  }

  test.each([
    [0, "passing"],
    [1, "warning"],
    [2, "critical"],
  ])("exit code %s is %s", async (code, status) => {
    const { socket, asked, close } = await docker("fine\n", code);
    expect(await run(socket)).toEqual({ status, output: "fine\n" });
    expect(asked).toEqual([
      'POST /containers/box/exec {"AttachStdin":false,"AttachStdout":true,"AttachStderr":true,' +
        '"Tty":true,"Cmd":["check","it"]}',
      'POST /exec/e1/start {"Detach":false,"Tty":true}',
      "GET /exec/e1/json ",
    ]);
    close();
  });

  test("long output keeps its end; a container that is not there is critical", async () => {
    const long = await docker("x".repeat(100_000), 0);
    expect((await run(long.socket, 10)).output).toBe(
      "Captured 10 of 100000 bytes\n...\nxxxxxxxxxx",
    );
    long.close();
    const absent = await docker("", 0, 404);
    expect(await run(absent.socket)).toEqual({
      status: "critical",
      output:
        'create exec failed for container box with status 404: {"message":"No such container: box"}',
    });
    absent.close();
  });

  test("no Docker is critical", async () => {
    expect(await run("unix:///nonexistent.sock")).toEqual({
      status: "critical",
      output:
        "create exec failed for container box: dial unix /nonexistent.sock: connect: no such file or directory",
    });
    expect((await run("tcp://h:1")).output).toBe(
      "docker is asked at Unix sockets only, not at tcp://h:1",
    );
  });
});
