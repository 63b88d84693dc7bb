// HCL configuration files: the same keys as in JSON, blocks and their repetition, and the reference's words for what is
// wrong (recorded from `consul validate` 1.8.7).

import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ConfigError } from "../../src/agent/config/errors.ts";
import { readConfigFiles } from "../../src/agent/config/file.ts";
import { loadAgentConfig } from "../../src/agent/config/load.ts";
import { parseConfig } from "../../src/agent/config/parse.ts";
import type { ResolvedAgentConfig } from "../../src/agent/config/types.ts";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "proconsul-hcl-"));
});
afterEach(() => rmSync(directory, { recursive: true }));

function file(name: string, content: string): string {
  const path = join(directory, name);
  writeFileSync(path, content);
  return path;
}

const load = (...args: string[]): ResolvedAgentConfig =>
  loadAgentConfig(["-dev", ...args], { hostName: "host1", addresses: [] });

function refusal(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof ConfigError) return error.message.trim();
    throw error;
  }
  return "accepted";
}

const refused: [text: string, said: string][] = [
  [
    "datacenter = 1",
    "1 error(s) decoding:\n\n* 'datacenter' expected type 'string', got unconvertible type 'int'",
  ],
  [
    "datacenter = 1.5",
    "1 error(s) decoding:\n\n* 'datacenter' expected type 'string', got unconvertible type 'float64'",
  ],
  [
    "datacenter {}",
    "1 error(s) decoding:\n\n* 'datacenter' expected type 'string', got unconvertible type 'map[string]interface {}'",
  ],
  [
    'ports { http = "x" }',
    "1 error(s) decoding:\n\n* 'ports.http' expected type 'int', got unconvertible type 'string'",
  ],
  [
    "ports { http = 1 } ports { dns = 2 }",
    "1 error(s) decoding:\n\n* 'ports' expected a map, got 'slice'",
  ],
  ["ports = 1", "1 error(s) decoding:\n\n* 'ports' expected a map, got 'int'"],
  ["ports = []", "1 error(s) decoding:\n\n* 'ports' expected a map, got 'slice'"],
  ["ports = [1]", "1 error(s) decoding:\n\n* 'ports' expected a map, got 'int'"],
  ['ports "x" { http=1 }', "1 error occurred:\n\t* invalid config key ports.x"],
  ["ports { foo = 1 }", "1 error occurred:\n\t* invalid config key ports.foo"],
  [
    'service { name = "web" } service { name="b" }',
    "1 error(s) decoding:\n\n* 'service' expected a map, got 'slice'",
  ],
  [
    "services = 1",
    "1 error(s) decoding:\n\n* 'services': source data must be an array or slice, got int",
  ],
  ['services = ["a"]', "1 error(s) decoding:\n\n* 'services[0]' expected a map, got 'string'"],
  ['service = "x"', "1 error(s) decoding:\n\n* 'service' expected a map, got 'string'"],
  [
    'service { name = "web" check { ttl = "10s" } check { ttl = "5s" } }',
    "1 error(s) decoding:\n\n* 'service.check' expected a map, got 'slice'",
  ],
  [
    'service { name = "web" checks = [{ foo = 1 }] }',
    "1 error occurred:\n\t* invalid config key service.checks[0].foo",
  ],
  [
    'services = [{ name = "a"},{ name = "web" check { bar=1} }]',
    "1 error occurred:\n\t* invalid config key services[1].check.bar",
  ],
  [
    'service { name = "web" tags = "x" }',
    "1 error(s) decoding:\n\n* 'service.tags': source data must be an array or slice, got string",
  ],
  [
    'service { name = "web" tags = [1] }',
    "1 error(s) decoding:\n\n* 'service.tags[0]' expected type 'string', got unconvertible type 'int'",
  ],
  [
    'service { name="web" meta { a = 1 } }',
    "1 error(s) decoding:\n\n* 'service.meta[a]' expected type 'string', got unconvertible type 'int'",
  ],
  [
    'service { name="web" meta { a = "b" } meta { c = "d" } }',
    "1 error(s) decoding:\n\n* 'service.meta' expected a map, got 'slice'",
  ],
  [
    'service { name="web" connect { sidecar_service { foo = 1 } } }',
    "1 error occurred:\n\t* invalid config key service.connect.sidecar_service.foo",
  ],
  [
    'check { name="b" http="x" interval="1s" header { a = "b" } }',
    "1 error(s) decoding:\n\n* 'check.header[a]': source data must be an array or slice, got string",
  ],
  [
    'acl { enabled = true } acl { default_policy = "deny" }',
    "1 error(s) decoding:\n\n* 'acl' expected a map, got 'slice'",
  ],
  [
    "acl = { enabled = true tokens = { foo = 1 } }",
    "1 error occurred:\n\t* invalid config key acl.tokens.foo",
  ],
  [
    "acl { token_ttl = 1 }",
    "1 error(s) decoding:\n\n* 'acl.token_ttl' expected type 'string', got unconvertible type 'int'",
  ],
  ['node_meta = "x"', "1 error(s) decoding:\n\n* 'node_meta' expected a map, got 'string'"],
  [
    'retry_join = "x"',
    "1 error(s) decoding:\n\n* 'retry_join': source data must be an array or slice, got string",
  ],
  [
    "retry_join = [1,2]",
    "2 error(s) decoding:\n\n* 'retry_join[0]' expected type 'string', got unconvertible type 'int'\n" +
      "* 'retry_join[1]' expected type 'string', got unconvertible type 'int'",
  ],
  ['telemetry { foo = "x" }', "1 error occurred:\n\t* invalid config key telemetry.foo"],
  ["datacenter = dc1", "At 1:14: Unknown token: 1:14 IDENT dc1"],
  ["datacenter", "At 1:12: key 'datacenter' expected start of object ('{') or assignment ('=')"],
  ['datacenter = "x', "At 1:16: literal not terminated"],
  ["ports {", "At 1:9: object expected closing RBRACE got: EOF"],
  ["ports { http = 1", "At 1:20: object expected closing RBRACE got: EOF"],
  ["}", "At 1:1: expected: IDENT | STRING | ASSIGN | LBRACE got: RBRACE"],
  ["= 1", "At 1:1: no object keys found!"],
  ["a b = 1", "At 1:5: nested object expected: LBRACE got: ASSIGN"],
  ['datacenter = "a"; server = true', "At 1:17: illegal char"],
  ["@", "At 1:1: illegal char"],
  ["x = [1 2]", "At 1:8: error parsing list, expected comma or list end, got: NUMBER"],
  ["/* open", "At 1:8: comment not terminated"],
  [
    '{"datacenter":1}',
    "1 error(s) decoding:\n\n* 'datacenter' expected type 'string', got unconvertible type 'int'",
  ],
  ["[]", "At 1:1: expected: IDENT | STRING | ASSIGN | LBRACE got: LBRACK"],
];

describe("HCL", () => {
  test.each(refused)("%s", (text, said) => {
    expect(refusal(() => parseConfig(text, "hcl"))).toBe(said);
  });

  test("blocks, lists of one and assignments say the same", () => {
    const ports = ["ports { http = 9 }", "ports = { http = 9 }", "ports = [{ http = 9 }]"];
    for (const text of ports) expect(load("-hcl", text).ports.http).toBe(9);
    expect(load("-hcl", 'DATACENTER = ["dc2"]').datacenter).toBe("dc2");
    expect(load("-hcl", "ports { http = 0x10 dns = 010 }").ports).toMatchObject({
      http: 16,
      dns: 8,
    });
  });

  test("services and checks, alone and repeated", () => {
    const { services, checks } = load(
      "-hcl",
      `service { name = "web" tags = ["a"] meta { x = "y" }
         check { id = "c" ttl = "10s" }
         connect { sidecar_service { proxy { upstreams { destination_name = "db" local_bind_port = 1 } } } } }
       services { name = "b" } services { name = "c" }
       checks = [{ name = "one" ttl = "1s" }, { name = "two" ttl = "2s" }]`,
    );
    expect(services.map(({ service }) => service.Service)).toEqual(["web", "b", "c"]);
    expect(services[0]?.service).toMatchObject({ Tags: ["a"], Meta: { x: "y" } });
    expect(services[0]?.checks).toMatchObject([{ checkId: "c", ttlMs: 10_000 }]);
    expect(services[0]?.sidecar?.service.Proxy.Upstreams).toMatchObject([
      { DestinationName: "db", LocalBindPort: 1 },
    ]);
    expect(checks.map(({ name, ttlMs }) => [name, ttlMs])).toEqual([
      ["one", 1_000],
      ["two", 2_000],
    ]);
  });

  test("the single check of a service comes after the list, and an empty one is one", () => {
    const text = `service { name = "web" check { name = "s" ttl = "1s" }
      checks = [{ name = "one" ttl = "1s" }, { name = "two" ttl = "1s" }] }`;
    const [definition] = load("-hcl", text).services;
    expect(definition?.checks.map(({ name }) => name)).toEqual(["one", "two", "s"]);
    expect(refusal(() => load("-hcl", 'service { name = "web" check { } }'))).toContain(
      "TTL must be > 0 for TTL checks",
    );
  });

  test("free-form values lose lists of one, but not inside of longer lists", () => {
    const text = `service { kind = "connect-proxy" name = "p" port = 1 proxy {
      destination_service_name = "x"
      config { a { b { c = [1] d { e = 1 } } } list = [{ x = 1 }] two = [{ x = 1 }, { y { z = 1 } }] } } }`;
    const [definition] = load("-hcl", text).services;
    expect(definition?.service.Proxy.Config).toEqual({
      a: { b: { c: 1, d: { e: 1 } } },
      list: { x: 1 },
      two: [{ x: 1 }, { y: [{ z: 1 }] }],
    });
  });

  test("segments are refused as in Consul, and an empty list of them is none", () => {
    const said = "Network segments are not supported in this version of Consul";
    expect(refusal(() => load("-hcl", 'segments = [{ name = "a", port = 1 }]'))).toBe(said);
    expect(refusal(() => load("-hcl", "segments = []"))).toBe("accepted");
  });

  test("fragments come after files and flags", () => {
    const path = file("a.hcl", 'node_name = "file"\nretry_join = ["1"]');
    const fragments = ["-hcl", 'node_name = "second" retry_join = ["2"]'];
    const config = load(...fragments, "-node", "flag", "-config-file", path);
    expect(config.nodeName).toBe("second");
    expect(config.retryJoin.addresses).toEqual(["1", "2"]);
    expect(refusal(() => load("-hcl", "a = 1", "-hcl", "a = 1"))).toBe(
      "failed to parse flags-0.hcl: 1 error occurred:\n\t* invalid config key a",
    );
  });
});

test.each([
  ['{"a":1}x', "invalid character 'x' after top-level value"],
  ["{a:1}", "invalid character 'a' looking for beginning of object key string"],
  ['{"a" 1}', "invalid character '1' after object key"],
  ['{"a":1 "b":2}', "invalid character '\"' after object key:value pair"],
  ["[1 2]", "invalid character '2' after array element"],
  ['{"a":tru}', "invalid character '}' in literal true (expecting 'e')"],
  ['{"a":"\\x"}', "invalid character 'x' in string escape code"],
  ['{"a":01}', "invalid character '1' after object key:value pair"],
  ["// no comments\n{}", "invalid character '/' looking for beginning of value"],
  ['{"a":', "unexpected end of JSON input"],
])("JSON: %s", (text, said) => {
  expect(refusal(() => parseConfig(text, "json"))).toBe(said);
});

describe("files", () => {
  test("a directory gives .hcl and .json files in one order", () => {
    file("b.json", '{"node_name": "b", "retry_join": ["b"]}');
    file("a.hcl", 'node_name = "a"\nretry_join = ["a"]');
    file("c.hcl", 'retry_join = ["c"]');
    mkdirSync(join(directory, "d.hcl"));
    const config = load("-config-dir", directory);
    expect(config.nodeName).toBe("b");
    expect(config.retryJoin.addresses).toEqual(["a", "b", "c"]);
  });

  test("the format may be told", () => {
    const path = file("plain", 'node_name = "x"');
    expect(load("-config-format", "hcl", "-config-file", path).nodeName).toBe("x");
    expect(refusal(() => load("-config-format", "xml", "-config-file", path))).toBe(
      "config: -config-format must be either 'hcl' or 'json'",
    );
  });

  test("what cannot be read ends with one line that names it", () => {
    const loop = join(directory, "loop.hcl");
    symlinkSync("loop.hcl", loop);
    const links = "too many levels of symbolic links";
    const said = `config: Open failed on ${loop}. open ${loop}: ${links}`;
    expect(refusal(() => readConfigFiles([loop], ""))).toBe(said);
    expect(refusal(() => readConfigFiles([directory], ""))).toBe(said);
    expect(refusal(() => readConfigFiles(["/dev/zero"], "hcl"))).toBe(
      "config: /dev/zero is longer than 8388608 bytes",
    );
  });

  test.each([
    ["hcl", "a {".repeat(100_000)],
    ["json", '{"a":'.repeat(100_000)],
    ["json", `{"node_meta":{"a":${"[".repeat(5_000)}`],
  ])("%s that is nested without end is refused before it is built", (format, text) => {
    const path = file(`deep.${format}`, text);
    expect(refusal(() => readConfigFiles([path], ""))).toContain("nested deeper than 64 levels");
  });

  test("a message does not repeat a whole file", () => {
    const path = file("long.hcl", "a ".repeat(100_000));
    expect(refusal(() => readConfigFiles([path], "")).length).toBeLessThan(20_000);
  });
});
