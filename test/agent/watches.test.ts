// Watches of the configuration: refusals in the reference's words (recorded from Consul 1.8.7), each state handed on
// once, and trouble that is retried.

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { parseConfig } from "../../src/agent/config/parse.ts";
import { AgentLog, type LogEntry } from "../../src/agent/log.ts";
import { watchFrom } from "../../src/agent/watches/definition.ts";
import { Watches } from "../../src/agent/watches/watches.ts";

type Raw = Record<string, unknown>;

function raw(text: string): Raw {
  const fragment = parseConfig(`watches = [{ ${text} }]`, "hcl");
  return (fragment.values.get("watches") as Raw[])[0] as Raw;
}

function refusal(text: string): string {
  try {
    watchFrom(raw(text));
    return "accepted";
  } catch (failure) {
    return (failure as Error).message;
  }
}

const left = (members: string): string =>
  `Failed to parse watch (map[string]interface {}{${members}}): `;

test.each([
  ['type="key" args=["x"]', `${left('"args":"x"')}Must specify a single key to watch`],
  ['type="key" key="a"', "Must define a watch handler"],
  [
    'key="a" args=["x"]',
    `${left('"args":"x", "handler_type":"script", "key":"a"')}Watch type must be specified`,
  ],
  ['type="foo" args=["x"]', `${left('"args":"x"')}Unsupported watch type: foo`],
  ['type="key" key="a" handler="x"', "accepted"],
  ['type="key" key="a" handler="x" args=["y"]', "Only one watch handler allowed"],
  ['type="key" key="a" args="x"', "accepted"],
  ['type="key" key="a" args=[1]', "Watch args must be a list of strings"],
  ['type="key" key="a" handler=1', "Watch handler must be a string"],
  [
    'type=1 key="a" handler="x"',
    `${left('"handler":"x", "handler_type":"script", "key":"a", "type":1')}Expecting type to be a string`,
  ],
  ['type="key" key=1 args=["x"]', `${left('"args":"x", "key":1')}Expecting key to be a string`],
  ['type="key" key="a" args=["x"] foo="bar"', `${left('"foo":"bar"')}Invalid parameters: [foo]`],
  ['type="key" key="a" handler_type="foo" args=["x"]', "Handler type 'foo' not recognized"],
  [
    'type="key" key="a" handler_type="http"',
    `${left('"key":"a"')}Handler type 'http' requires 'http_handler_config' to be set`,
  ],
  [
    'type="key" key="a" handler_type="http" http_handler_config { }',
    left('"http_handler_config":map[string]interface {}{}, "key":"a"') +
      "Failed to parse 'http_handler_config': Requires 'path' to be set",
  ],
  [
    'type="key" key="a" handler_type="http" http_handler_config { path="x" timeout="q" }',
    left('"http_handler_config":map[string]interface {}{"path":"x", "timeout":"q"}, "key":"a"') +
      `Failed to parse 'http_handler_config': Failed to parse timeout: time: invalid duration "q"`,
  ],
  ['type="service" service="a" tag=["b","c"] args=["x"]', "accepted"],
  [
    'type="service" service="a" tag=1 args=["x"]',
    `${left('"args":"x", "tag":1')}Expecting tag to be a string or []string`,
  ],
  [
    'type="service" service="a" passingonly="true" args=["x"]',
    `${left('"args":"x", "passingonly":"true"')}Expecting passingonly to be a boolean`,
  ],
  [
    'type="checks" service="a" state="b" args=["x"]',
    `${left('"args":"x"')}Cannot specify service and state`,
  ],
  [
    'type="services" args=["x"] service="a"',
    `${left('"service":"a"')}Invalid parameters: [service]`,
  ],
  [
    'type="connect_leaf" service="a" args=["x"]',
    "Watch type connect_leaf is not allowed in agent config",
  ],
  ['type="nodes" args=["x"] stale=true', "accepted"],
])("%s: %s", (text, said) => {
  expect(refusal(text)).toBe(said);
});

describe("a running watch", () => {
  let server: Server;
  let directory: string;
  let asked: string[];
  let answer: (request: IncomingMessage, response: ServerResponse) => void | Promise<void>;
  let watches: Watches;
  let entries: LogEntry[];
  let waits: number[];

  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), "proconsul-watches-"));
    asked = [];
    entries = [];
    waits = [];
    server = createServer((request, response) => {
      asked.push(request.url ?? "");
      void answer(request, response);
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const log = new AgentLog(() => undefined);
    log.subscribe((entry) => entries.push(entry));
    watches = new Watches({
      log,
      address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      delay: async (ms) => void waits.push(ms),
    });
  });
  afterEach(() => {
    watches.stop();
    server.closeAllConnections();
    server.close();
    rmSync(directory, { recursive: true });
  });

  /** One answer after the other; then nothing comes any more. */
  function answers(...list: [index: number, body: unknown, status?: number][]): void {
    answer = (_request, response) => {
      const next = list.shift();
      if (!next) return;
      const [index, body, status = 200] = next;
      response.writeHead(status, { "X-Consul-Index": String(index) }).end(JSON.stringify(body));
    };
  }

  const seen = (): string => {
    try {
      return readFileSync(join(directory, "seen"), "utf8");
    } catch {
      return "";
    }
  };

  const recorder = (): Raw => ({
    args: ["sh", "-c", `echo $CONSUL_INDEX >> ${directory}/seen; cat >> ${directory}/seen`],
  });

  test("hands on each state once, with its index, and null for what is not there", async () => {
    const pair = {
      LockIndex: 0,
      Key: "k",
      Flags: 0,
      Value: "djE=",
      CreateIndex: 5,
      ModifyIndex: 5,
    };
    answers([3, "", 404], [5, [pair]], [5, [pair]], [7, [pair]], [2, [pair]], [9, "", 404]);
    watches.start([{ type: "key", key: "a b/c", token: "t", datacenter: "dc2", ...recorder() }]);
    const shown =
      '{"Key":"k","CreateIndex":5,"ModifyIndex":5,"LockIndex":0,"Flags":0,"Value":"djE=","Session":""}';
    await expect.poll(seen).toBe(`3\nnull\n5\n${shown}\n9\nnull\n`);
    await expect
      .poll(() => asked)
      .toEqual([
        "/v1/kv/a%20b/c?dc=dc2",
        "/v1/kv/a%20b/c?dc=dc2&index=3",
        "/v1/kv/a%20b/c?dc=dc2&index=5",
        "/v1/kv/a%20b/c?dc=dc2&index=5",
        "/v1/kv/a%20b/c?dc=dc2&index=7",
        // The index went back: everything is news.
        "/v1/kv/a%20b/c?dc=dc2",
        "/v1/kv/a%20b/c?dc=dc2&index=9",
      ]);
  });

  test("trouble is said and retried, later each time; a handler that fails does not end it", async () => {
    answers([1, "no", 500], [1, "no", 500], [2, { web: [] }], [3, "no", 500], [4, { db: [] }]);
    watches.start([{ type: "services", args: ["sh", "-c", "echo x; exit 3"] }]);
    await expect.poll(() => asked.length).toBe(6);
    expect(waits).toEqual([5_000, 20_000, 5_000]);
    const said = entries
      .filter(({ level }) => level === "err")
      .map(({ message, fields }) => [message, fields["error"]]);
    expect(said).toEqual([
      ["Watch errored", 'Unexpected response code: 500 ("no")'],
      ["Watch errored", 'Unexpected response code: 500 ("no")'],
      ["Failed to run watch handler", "exit status 3"],
      ["Watch errored", 'Unexpected response code: 500 ("no")'],
      ["Failed to run watch handler", "exit status 3"],
    ]);
  });

  test("output is kept to its end", async () => {
    answers([1, {}]);
    watches.start([{ type: "services", args: ["sh", "-c", "yes | head -c 10000; echo end"] }]);
    const output = (): string =>
      entries.find(({ message }) => message === "watch handler output")?.fields["output"] ?? "";
    await expect.poll(output).toContain("Captured 4096 of 10004 bytes");
    expect(output()).toMatch(/end\n$/);
  });

  test("posts to a URL what it saw, with the index", async () => {
    const posted = Promise.withResolvers<unknown[]>();
    answer = async (request, response) => {
      if (request.method !== "POST") {
        if (request.url === "/v1/catalog/nodes?")
          response.setHeader("X-Consul-Index", "8").end("[]");
        return;
      }
      let body = "";
      for await (const chunk of request) body += String(chunk);
      posted.resolve([
        request.url,
        request.headers["x-consul-index"],
        request.headers["x-a"],
        body,
      ]);
      response.statusCode = 500;
      response.end("no");
    };
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
    const config = { path: url, header: { "X-A": ["b", "c"] } };
    watches.start([{ type: "nodes", handler_type: "http", http_handler_config: config }]);
    expect(await posted.promise).toEqual(["/hook", "8", "b, c", "[]\n"]);
    await expect
      .poll(() => entries.at(-1))
      .toMatchObject({
        message: "Failed to invoke http watch handler",
        fields: { error: "status 500", output: "no" },
      });
  });

  test("ends when others are started, and goes on when they are refused", async () => {
    answers([1, {}]);
    watches.start([{ type: "services", ...recorder() }]);
    await expect.poll(() => asked.length).toBe(2);
    expect(() => watches.reload([{ type: "foo" }])).toThrow(
      /^Failed reloading watches: .*Unsupported watch type: foo$/,
    );
    answers([5, { new: [] }]);
    watches.reload([{ type: "services", ...recorder() }]);
    await expect.poll(seen).toBe('1\n{}\n5\n{"new":[]}\n');
  });
});

test("an agent without HTTP has nobody to ask", () => {
  const watches = new Watches({ log: new AgentLog(() => undefined), address: null });
  expect(() => watches.start([])).not.toThrow();
  expect(() => watches.start([{ type: "nodes", args: ["true"] }])).toThrow(
    "watch plans require an HTTP or HTTPS endpoint",
  );
});
