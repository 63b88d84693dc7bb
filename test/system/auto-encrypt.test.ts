// Agents that are given nothing but an authority to trust, and have their certificates of the servers: they come in,
// stay in when another key signs, and become nothing that they are not.

import { generateKeyPairSync } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { request as httpsRequest } from "node:https";
import { join } from "node:path";
import { connect } from "node:tls";
import { afterAll, beforeAll, expect, test } from "vitest";

import type { CertificateAndKey } from "../../src/connect/agent-certificates.ts";
import { agentAuthority, agentCertificate, writeCertificate } from "../support/agent-tls.ts";
import { eventually } from "../support/eventually.ts";
import { type AgentPorts, agentPorts, freePort } from "../support/free-ports.ts";
import { Proconsul, stopAll, temporaryDirectory } from "../support/proconsul.ts";

const master = "11111111-2222-3333-4444-555555555555";
const folder = temporaryDirectory();
const caFile = join(folder, "ca.pem");
let authority: CertificateAndKey;
let serverPorts: AgentPorts;
let server: Proconsul;

const dataDir = (): string => join(temporaryDirectory(), "data");
const byMaster = { headers: { "X-Consul-Token": master } };

beforeAll(async () => {
  authority = await agentAuthority();
  writeFileSync(caFile, authority.certificate);
  serverPorts = await agentPorts();
  const own = await agentCertificate(authority, "server.dc1.consul");
  server = await Proconsul.spawn({
    ports: serverPorts,
    args: ["-runtime", "node"],
    config: {
      ...{ node_name: "server", server: true, bootstrap: true, bind_addr: "127.0.0.1" },
      ...{ data_dir: dataDir(), ca_file: caFile, ...writeCertificate(folder, "server", own) },
      ...{ verify_incoming: true, verify_outgoing: true, verify_server_hostname: true },
      auto_encrypt: { allow_tls: true },
      acl: { enabled: true, default_policy: "deny", tokens: { master, agent: master } },
    },
  });
  await server.led(30_000, master);
});
afterAll(stopAll);

interface Given {
  name: string;
  token?: string;
  config?: Record<string, unknown>;
}

async function agent({ name, token = master, config = {} }: Given): Promise<Proconsul> {
  return await Proconsul.spawn({
    config: {
      ...{ node_name: name, bind_addr: "127.0.0.1", data_dir: dataDir(), ca_file: caFile },
      auto_encrypt: { tls: true, dns_san: ["my.host"], ip_san: ["10.1.1.1"] },
      ...{ retry_join: [`127.0.0.1:${serverPorts.serf_lan}`], retry_interval: "1s" },
      acl: { enabled: true, default_policy: "deny", tokens: { agent: token, default: token } },
      ...config,
    },
  });
}

async function nodes(): Promise<string[]> {
  const answer = await server.get("/v1/catalog/nodes", byMaster);
  return answer.json<{ Node: string }[]>().map(({ Node }) => Node);
}

test("an agent gets a certificate, joins, and serves HTTPS with it", async () => {
  const https = await freePort();
  const ports = { ...(await agentPorts()), https };
  const client = await Proconsul.spawn({
    ports,
    config: {
      ...{ node_name: "web-1", bind_addr: "127.0.0.1", data_dir: dataDir(), ca_file: caFile },
      auto_encrypt: { tls: true, dns_san: ["my.host"], ip_san: ["10.1.1.1"] },
      ...{ retry_join: [`127.0.0.1:${serverPorts.serf_lan}`], retry_interval: "1s" },
      acl: { enabled: true, default_policy: "deny", tokens: { agent: master, default: master } },
    },
  });
  await client.led(30_000, master);
  expect(await nodes()).toContain("web-1");
  const roots = (await client.get("/v1/connect/ca/roots", byMaster)).json<{
    TrustDomain: string;
    Roots: { RootCert: string }[];
  }>();
  const ca = roots.Roots.map(({ RootCert }) => RootCert);
  const names = await new Promise<string | undefined>((resolve, reject) => {
    const socket = connect({ host: "127.0.0.1", port: https, ca, servername: "my.host" }, () => {
      resolve(socket.getPeerCertificate().subjectaltname);
      socket.destroy();
    });
    socket.on("error", reject);
  });
  expect(names).toBe(
    "DNS:localhost, DNS:my.host, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1, IP Address:10.1.1.1, " +
      `URI:spiffe://${roots.TrustDomain}/agent/client/dc/dc1/id/web-1`,
  );
});

test("when another key signs it gets another certificate, and nobody loses touch", async () => {
  const client = await agent({ name: "web-2" });
  await client.led(30_000, master);
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const PrivateKey = privateKey.export({ type: "sec1", format: "pem" });
  const configuration = { Provider: "consul", Config: { PrivateKey } };
  const put = await server.put("/v1/connect/ca/configuration", configuration, byMaster);
  expect(put.status, put.text).toBe(200);
  const renewed = "renewed the certificate of this agent";
  await eventually(() => client.output.includes(renewed), { what: renewed, limitMs: 45_000 });
  // With the new one, whose root the server has learned by itself.
  await client.stop();
  const again = await agent({ name: "web-2" });
  await again.led(30_000, master);
  expect((await again.put("/v1/kv/a", "1", byMaster)).text).toMatch(/true/);
});

test("a token that may not write the node gets none, and the log says why", async () => {
  const client = await agent({ name: "stranger", token: "99999999-2222-3333-4444-555555555555" });
  const said = /cannot open the link to a server.*no certificate: 403/;
  await eventually(() => said.test(client.output), { what: String(said), limitMs: 20_000 });
  expect(await nodes()).not.toContain("stranger");
});

test("nothing but a certificate is to be had without one", async () => {
  const status = (path: string, body: string): Promise<number> =>
    new Promise((resolve, reject) => {
      const url = `https://127.0.0.1:${serverPorts.server}${path}`;
      const ca = readFileSync(caFile);
      const asked = httpsRequest(url, { method: "POST", ca, servername: "localhost" }, (answer) => {
        answer.resume();
        resolve(answer.statusCode ?? 0);
      });
      asked.on("error", reject);
      asked.end(body);
    });
  expect(await status("/rpc/raft", "")).toBe(403);
  expect(await status("/auto-encrypt", "x")).toBe(400);
  expect(await status("/auto-encrypt", "x".repeat(20_000))).toBe(413);
  // Without a token it may know the trust domain, and no more.
  expect(await status("/auto-encrypt", JSON.stringify({ csr: "" }))).toBe(200);
  expect(await status("/auto-encrypt", JSON.stringify({ csr: "x" }))).toBe(500);
});
