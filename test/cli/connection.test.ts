// How flags and environment say whom to ask: addresses, tokens, sockets, certificates, and what is said if that fails.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { AddressInfo, Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { connectionFrom } from "../../src/cli/http-flags.ts";
import { exchange, overSockets, type Transport } from "../../src/cli/transport.ts";
import { type Outcome, runHere } from "../support/cli-lab.ts";
import { makeAuthority } from "../support/tls.ts";

const directory = mkdtempSync(join(tmpdir(), "proconsul-cli-"));
const inside = (name: string): string => join(directory, name);
const servers: Server[] = [];
let plain = 0;
let secure = 0;

/** Answers any request with what it was asked, as the list of names that `kv get -keys` prints. */
function echo(request: IncomingMessage, response: ServerResponse): void {
  const { authorization = "", "x-consul-token": token = "" } = request.headers;
  response.end(
    JSON.stringify([request.method, request.url, `token ${String(token)}`, authorization]),
  );
}

async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  servers.push(server);
  return (server.address() as AddressInfo).port;
}

beforeAll(async () => {
  const { pem, server } = await makeAuthority();
  writeFileSync(inside("ca.pem"), pem);
  writeFileSync(inside("token"), " from-file\n");
  writeFileSync(inside("empty"), "\n");
  plain = await listening(createServer(echo));
  secure = await listening(createSecureServer(server, echo));
  const socket = createServer(echo);
  await new Promise<void>((resolve) => void socket.listen(inside("agent.sock"), resolve));
  servers.push(socket);
});

afterAll(() => {
  for (const server of servers) server.close();
  rmSync(directory, { recursive: true, force: true });
});

async function ask(args: string[], environment: Record<string, string> = {}): Promise<Outcome> {
  return await runHere({ args: ["kv", "get", "-keys", ...args] }, overSockets, environment);
}

describe("tokens", () => {
  test.each<[string[], Record<string, string>, string]>([
    [[], {}, "token "],
    [[], { CONSUL_HTTP_TOKEN: "env" }, "token env"],
    [["-token=flag"], { CONSUL_HTTP_TOKEN: "env" }, "token flag"],
    [["-token-file", "token"], { CONSUL_HTTP_TOKEN: "env" }, "token from-file"],
    [["-token=flag"], { CONSUL_HTTP_TOKEN_FILE: "token" }, "token from-file"],
    [["-token=flag"], { CONSUL_HTTP_TOKEN_FILE: "empty" }, "token flag"],
    [[], { CONSUL_HTTP_TOKEN_FILE: "" }, "token "],
  ])("%j %j", async (args, environment, token) => {
    const here = (text: string): string => (/^(token|empty)$/.test(text) ? inside(text) : text);
    const placed = Object.entries(environment).map(([name, value]) => [name, here(value)]);
    const { stdout } = await ask(args.map(here), {
      CONSUL_HTTP_ADDR: `127.0.0.1:${plain}`,
      ...(Object.fromEntries(placed) as Record<string, string>),
    });
    expect(stdout.split("\n")[2]).toBe(token);
  });
});

test("datacenter, staleness and namespace go into the query, credentials into a header", async () => {
  const { stdout } = await ask(["-datacenter=dc 2", "-stale", "-namespace=n", "a b/c?&"], {
    CONSUL_HTTP_ADDR: `http://127.0.0.1:${plain}/`,
    CONSUL_HTTP_AUTH: "user:pass",
  });
  const [method, url, , authorization] = stdout.split("\n");
  expect(method).toBe("GET");
  expect(url).toBe("/v1/kv/a%20b/c%3F&?dc=dc+2&keys=&ns=n&separator=%2F&stale=");
  expect(authorization).toBe(`Basic ${Buffer.from("user:pass").toString("base64")}`);
});

test("a Unix socket", async () => {
  const { stdout } = await ask([`-http-addr=unix://${inside("agent.sock")}`, "a"]);
  expect(stdout).toMatch(/^GET\n\/v1\/kv\/a\?/);
});

describe("HTTPS", () => {
  test("with a certificate that is trusted, by flag, by environment, by directory, or unseen", async () => {
    const address = `https://127.0.0.1:${secure}`;
    const trusting: [string[], Record<string, string>][] = [
      [["-ca-file", inside("ca.pem")], {}],
      [[], { CONSUL_CACERT: inside("ca.pem") }],
      [[], { CONSUL_HTTP_SSL_VERIFY: "false" }],
    ];
    for (const [args, environment] of trusting) {
      const outcome = await ask(args, { CONSUL_HTTP_ADDR: address, ...environment });
      expect(outcome).toMatchObject({ code: 0, stderr: "" });
    }
    const env = { CONSUL_HTTP_ADDR: `127.0.0.1:${secure}`, CONSUL_HTTP_SSL: "true" };
    expect(await ask(["-ca-file", inside("ca.pem")], env)).toMatchObject({ code: 0 });
  });

  test("not without", async () => {
    const outcome = await ask([`-http-addr=https://127.0.0.1:${secure}`]);
    expect(outcome).toMatchObject({ code: 1, stdout: "" });
    expect(outcome.stderr).toContain("certificate");
  });

  test("at an agent that speaks HTTP", async () => {
    const { stderr } = await ask([`-http-addr=https://127.0.0.1:${plain}`, "a"]);
    expect(stderr).toContain("http: server gave HTTP response to HTTPS client");
  });

  test("a file of certificates that is not there", async () => {
    const args = ["-ca-file=/nofile", `-http-addr=https://127.0.0.1:${secure}`];
    expect((await ask(args)).stderr).toContain(
      "Error loading CA File: open /nofile: no such file or directory",
    );
  });
});

test.each([
  [
    "127.0.0.1:1",
    `Get "http://127.0.0.1:1/v1/kv/a": dial tcp 127.0.0.1:1: connect: connection refused`,
  ],
  [
    "unix:///no.sock",
    `Get "http://%2Fno.sock/v1/kv/a": dial unix /no.sock: connect: no such file or directory`,
  ],
])("nobody at %s", async (address, problem) => {
  const outcome = await runHere({ args: ["kv", "get", "a"] }, overSockets, {
    CONSUL_HTTP_ADDR: address,
  });
  expect(outcome).toEqual({
    code: 1,
    stdout: "",
    stderr: `Error querying Consul agent: ${problem}\n`,
  });
});

test.each([
  ["10.0.0.1:8500", {}, "http://10.0.0.1:8500"],
  ["http://a:1", { CONSUL_HTTP_SSL: "1" }, "https://a:1"],
  ["https://a:1", { CONSUL_HTTP_SSL: "false" }, "https://a:1"],
  [undefined, {}, "http://127.0.0.1:8500"],
])("address %j with %j", (address, environment, origin) => {
  const flags = address === undefined ? {} : { "http-addr": address };
  expect(connectionFrom(flags, environment).origin).toBe(origin);
});

test("a scheme that nobody speaks", () => {
  expect(() => connectionFrom({ "http-addr": "zap://x" }, {})).toThrow(
    "Unknown protocol scheme: zap",
  );
});

test.each<[string, (response: ServerResponse) => void, string]>([
  ["says nothing", () => undefined, "i/o timeout"],
  ["stops in the middle", (response) => void response.write("["), "unexpected EOF"],
])("an agent that %s is given up", async (_what, answer, said) => {
  const hung = createServer((_request, response) => answer(response));
  const port = await listening(hung);
  const silent: Transport = (connection, request) => exchange(connection, request, 100);
  const address = `-http-addr=127.0.0.1:${port}`;
  const outcome = await runHere({ args: ["kv", "get", "-keys", address, "a"] }, silent, {});
  hung.closeAllConnections();
  expect(outcome.code).toBe(1);
  expect(outcome.stderr).toContain(said);
});
