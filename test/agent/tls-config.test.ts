// What a configuration may say of TLS, in Consul's words where it has some, and whom certificates let in.

import { noTls } from "../support/agent-tls.ts";
import { describe, expect, test } from "vitest";

import { mergeFragments } from "../../src/agent/config/merge.ts";
import { emptyFragment } from "../../src/agent/config/parse.ts";
import { resolveConfig } from "../../src/agent/config/resolve.ts";
import { type Asked, Trust } from "../../src/agent/servers/trust.ts";

function resolved(values: Record<string, unknown>, runtime = ""): ReturnType<typeof resolveConfig> {
  const base = { node_name: "n1", data_dir: "/var/lib/none", bind_addr: "127.0.0.1" };
  const fragment = {
    ...emptyFragment(),
    values: new Map<string, unknown>(Object.entries({ ...base, ...values })),
  };
  return resolveConfig(mergeFragments(new Map(), [fragment]), {
    ...{ devMode: false, servers: null, runtime },
    ...{ hostName: "host1", hostAddresses: [] },
  });
}

const pair = { cert_file: "a.pem", key_file: "a-key.pem" };
const verified = {
  ...pair,
  ...{ verify_incoming: true, verify_outgoing: true, verify_server_hostname: true },
};

test.each<[Record<string, unknown>, string]>([
  [
    { tls_min_version: "tls9" },
    "TLSMinVersion: value tls9 not supported, please specify one of [tls10, tls11, tls12, tls13]",
  ],
  [
    { tls_min_version: "TLS12" },
    "TLSMinVersion: value TLS12 not supported, please specify one of [tls10, tls11, tls12, tls13]",
  ],
  [
    { tls_cipher_suites: "TLS_RSA_WITH_AES_128_CBC_SHA,TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256" },
    "1 error occurred:\n\t* tls_cipher_suites: invalid tls cipher suites: " +
      'unsupported cipher "TLS_RSA_WITH_AES_128_CBC_SHA"',
  ],
  [{ cert_file: "a.pem" }, "cert_file is set without key_file"],
  [{ key_file: "a-key.pem" }, "key_file is set without cert_file"],
  [pair, "cert_file is set, but nobody would be shown it"],
  [{ "ports.dns_tls": 853 }, "ports.dns_tls needs cert_file and key_file"],
  [{ server: true, advertise_addr: "8.8.4.4" }, "the address 8.8.4.4 is public"],
  [
    { ...verified, verify_server_hostname: false, server: true, advertise_addr: "8.8.4.4" },
    "the address 8.8.4.4 is public",
  ],
])("%j does not start", (values, text) => {
  expect(() => resolved(values)).toThrow(text);
});

test("servers that a Worker runs cannot show a certificate", () => {
  const values = { server: true, verify_outgoing: true };
  expect(() => resolved(values, "workerd")).toThrow("verify_outgoing needs -runtime node: servers");
  expect(() => resolved({ verify_outgoing: true }, "workerd")).not.toThrow();
});

test.each<[Record<string, unknown>]>([
  [{ ...pair, server: true }],
  [{ ...pair, "ports.https": 8501 }],
  [{ ...pair, verify_outgoing: true }],
  [{ ...pair, enable_agent_tls_for_checks: true }],
  // Certificates stand for both keys.
  [{ ...verified, server: true, advertise_addr: "8.8.4.4" }],
])("%j starts", (values) => {
  expect(() => resolved(values)).not.toThrow();
});

test("verify_server_hostname implies verify_outgoing, and verify_incoming both of its kinds", () => {
  expect(resolved({ verify_server_hostname: true }).tls.verifyOutgoing).toBe(true);
  const { tls } = resolved({ ...pair, server: true, verify_incoming: true });
  expect([tls.verifyIncomingRpc, tls.verifyIncomingHttps]).toEqual([true, true]);
});

test("a server that demands TLS without speaking it is warned; certificates stand for keys", () => {
  const half = resolved({ ...pair, server: true, verify_incoming: true }).warnings.join("\n");
  expect(half).toContain("cannot reach others that are set up alike");
  const whole = resolved({ ...verified, server: true, bind_addr: "10.0.0.1" }).warnings.join("\n");
  expect(whole).not.toMatch(/trust every|cannot reach/);
});

describe("a certificate", () => {
  const far = { from: "8.8.8.8", headers: {} };
  const tls = { ...noTls, verifyServerHostname: true };
  const config = {
    ...{ gossipKey: "", serverKey: "", gossipNetworks: null },
    ...{ advertiseAddress: "8.8.4.4", bindAddress: "0.0.0.0" },
    gossip: { verifyIncoming: true },
    ...{ datacenter: "dc1", dns: { domain: "consul" }, tls },
  };
  const link = { ...far, target: "/link?dc=dc1", method: "GET", upgrade: true };
  const call = { ...far, target: "/rpc/raft", method: "POST", upgrade: false };

  test.each<[string, Partial<Asked>, number]>([
    ["of a client opens a link", { ...link, certificate: ["client.dc1.consul"] }, 200],
    ["of a client makes no server", { ...call, certificate: ["client.dc1.consul"] }, 403],
    ["of a server makes a server", { ...call, certificate: ["server.dc1.consul"] }, 200],
    ["that was not shown opens nothing", { ...link, certificate: null }, 403],
    ["makes no pages of browsers welcome", { ...link, headers: { origin: "https://a" } }, 403],
  ])("%s", (_what, asked, status) => {
    const whole = { certificate: ["server.dc1.consul"], secure: true, ...asked } as Asked;
    expect(new Trust(config).refusal(whole)?.status ?? 200).toBe(status);
  });

  const near = { from: "10.0.0.9", certificate: null };
  const newcomer = { ...near, target: "/auto-encrypt", method: "POST", upgrade: false };
  test.each<[string, Partial<Asked>, boolean, number]>([
    ["is asked for by who has none", newcomer, true, 200],
    ["is given by TLS only", { ...newcomer, secure: false }, true, 403],
    ["is given to near ones only, without encrypt", { ...newcomer, from: "8.8.8.8" }, true, 403],
    ["is not given where nobody said so", newcomer, false, 404],
    ["is asked for in one way", { ...newcomer, method: "GET" }, true, 404],
    ["is needed for all else", { ...link, ...near }, true, 403],
  ])("%s", (_what, asked, allowTls, status) => {
    const autoEncrypt = { ...noTls.autoEncrypt, allowTls };
    const given = { ...config, tls: { ...noTls, autoEncrypt, verifyIncomingRpc: true } };
    const whole = { headers: {}, secure: true, ...asked } as Asked;
    expect(new Trust(given).refusal(whole)?.status ?? 200).toBe(status);
  });
});
