// Who is kept from the API: lured browsers, writes from elsewhere, blocked endpoints. Programs never are.

import { describe, expect, test } from "vitest";

import { cleanTarget } from "../../src/api/paths.ts";
import { Gate, type GateParts } from "../../src/agent/http/gate.ts";

const config = {
  allowedHosts: ["consul.intra"],
  blockEndpoints: [] as string[],
  allowWriteHttpFrom: [] as string[],
  responseHeaders: {},
  translatesAddresses: false,
  maxConnectionsPerClient: 0,
  usesCache: true,
  refusesUnprintable: true,
};

interface Ask {
  method?: string;
  url?: string;
  headers?: Record<string, string>;
  from?: string;
  parts?: Partial<GateParts>;
}

function refusal({
  method = "GET",
  url = "/",
  headers = {},
  from = "127.0.0.1",
  parts,
}: Ask): string {
  const gate = new Gate({
    config,
    nodeName: "host1",
    domain: "consul",
    loopbackOnly: true,
    ...parts,
  });
  return gate.refusal({ method, url, headers, socket: { remoteAddress: from } }) ?? "";
}

const browsers: Record<string, string>[] = [
  { origin: "http://rebound.example:8500" },
  { referer: "http://rebound.example:8500/" },
  { "accept-language": "" },
  { "sec-fetch-mode": "cors" },
  { "user-agent": "Mozilla/5.0 (X11; Linux x86_64)" },
];

describe("names", () => {
  test.each(["rebound.example:8500", "consul:8500", "10.1.2.3:8500", "[fd00::1]", ""])(
    "a program may use %j",
    (host) => expect(refusal({ headers: { host, "user-agent": "Go-http-client/1.1" } })).toBe(""),
  );

  test.each(browsers)("a browser may not come by a name that is not ours: %j", (headers) => {
    const host = "rebound.example:8500";
    expect(refusal({ headers: { host, ...headers } })).toContain("http_config.allowed_hosts");
    expect(refusal({ headers: { host, ...headers }, parts: { loopbackOnly: false } })).toBe("");
  });

  test.each([
    "127.0.0.2:8500",
    "10.0.0.7",
    "[::1]:8500",
    "LOCALHOST:1",
    "host1",
    "a.node.consul",
    "consul.intra",
  ])("a browser may come by %s", (host) =>
    expect(refusal({ headers: { host, "accept-language": "en" } })).toBe(""),
  );

  test("an address can be asked for by a browser, but does not make its page ours", () => {
    const headers = { host: "127.0.0.1:8500", origin: "http://203.0.113.9" };
    expect(refusal({ headers })).toContain("foreign");
    expect(refusal({ headers, parts: { loopbackOnly: false } })).toContain("foreign");
    for (const origin of [
      "http://consul.intra",
      "http://localhost:3000",
      "http://127.0.0.1:8500",
    ]) {
      expect(refusal({ headers: { host: "127.0.0.1:8500", origin } })).toBe("");
    }
    const same = { host: "registry.example:8500", origin: "http://registry.example:8500" };
    expect(refusal({ headers: same, parts: { loopbackOnly: false } })).toBe("");
    for (const origin of ["null", "", "file://", "http://[", "http://localhost@evil.example"]) {
      expect(refusal({ headers: { host: "127.0.0.1:8500", origin } })).toContain("foreign");
    }
  });
});

describe("what the configuration keeps away", () => {
  test("block_endpoints, however the path is written", () => {
    const parts = {
      config: { ...config, blockEndpoints: ["/v1/session", "/v1/agent/maintenance"] },
    };
    for (const url of [
      "/v1/session/list",
      "/v1/%73ession/create?x",
      "/v1/agent/maintenance?enable",
    ]) {
      expect(refusal({ url, parts })).toBe("Endpoint is blocked by agent configuration");
    }
    expect(refusal({ url: "/v1/kv/v1/session", parts })).toBe("");
  });

  test("allow_write_http_from holds for everything that is no read", () => {
    const parts = { config: { ...config, allowWriteHttpFrom: ["10.0.0.0/8", "fd00::/8"] } };
    for (const method of ["PUT", "POST", "DELETE", "PATCH"]) {
      expect(refusal({ method, parts })).toBe("Access is restricted");
      for (const from of ["10.9.9.9", "::ffff:10.9.9.9", "fd00::1"]) {
        expect(refusal({ method, from, parts })).toBe("");
      }
    }
    for (const method of ["GET", "HEAD", "OPTIONS"]) expect(refusal({ method, parts })).toBe("");
  });
});

test.each([
  ["/v1/kv/a/../b", "/v1/kv/b"],
  ["/v1/kv/%2e%2e/b?x=1", "/v1/b?x=1"],
  ["/v1/kv/../status/leader", "/v1/status/leader"],
  ["/v1/kv/a%2F..%2Fb", "/v1/kv/b"],
  ["/v1/kv//a?flags=3", "/v1/kv/a?flags=3"],
  ["/v1/kv/.%2E/%3Fa", "/v1/%3Fa"],
  ["/v1/kv/./", "/v1/kv/"],
  ["/v1/kv/a..b/.c", null],
  ["/v1/kv/a?b=/../c", null],
  ["/v1/kv/%zz/..", null],
])("%s goes to %s", (target, expected) => expect(cleanTarget(target)).toBe(expected));
