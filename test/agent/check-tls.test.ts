// HTTPS checks: whom they believe and what they show, with Consul's words where they fail.

import { once } from "node:events";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";

import { httpProbe } from "../../src/agent/checks/http.ts";
import type { ProbeResult } from "../../src/agent/checks/probe.ts";
import { checkOptions } from "../../src/agent/tls/options.ts";
import type { CertificateAndKey } from "../../src/connect/agent-certificates.ts";
import { emptyCheck } from "../../src/core/agent/definitions.ts";
import { agentAuthority, agentCertificate, noTls } from "../support/agent-tls.ts";

let server: Server;
let authority: CertificateAndKey;
let own: CertificateAndKey;

beforeAll(async () => {
  authority = await agentAuthority();
  own = await agentCertificate(authority, "client.dc1.consul");
  const { certificate: cert, key } = await agentCertificate(authority, "web.example");
  const options = { cert, key, ca: authority.certificate, requestCert: true };
  server = createServer(options, (_request, response) => response.end("fine"));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
});
afterAll(() => void server.close());

function run(
  tls: { serverName?: string; isUsed?: boolean },
  tlsSkipVerify = false,
): Promise<ProbeResult> {
  const { serverName = "", isUsed = true } = tls;
  const config = { ...noTls, serverName, usedForChecks: isUsed };
  const state = {
    ...{ config, pair: { cert: own.certificate, key: own.key } },
    vouched: [],
    authorities: [authority.certificate],
  };
  const { port } = server.address() as AddressInfo;
  const check = { ...emptyCheck, http: `https://127.0.0.1:${port}/`, tlsSkipVerify };
  const probe = httpProbe(check, 4_096, () => checkOptions(state, "localhost"));
  return probe(new AbortController().signal);
}

test.each([
  ["the node's name", {}, false],
  ["server_name", { serverName: "web.example" }, false],
  ["any name, where the check skips it", { serverName: "other" }, true],
])("whoever has %s passes, and is shown a certificate", async (_what, tls, skips) => {
  expect((await run(tls, skips)).status).toBe("passing");
});

test.each([
  [
    "another name",
    { serverName: "other" },
    false,
    "x509: certificate is valid for web.example, localhost, 127.0.0.1, not other",
  ],
  ["no authority", { isUsed: false }, false, "x509: certificate signed by unknown authority"],
  ["no certificate of ours", { isUsed: false }, true, "remote error: tls: certificate required"],
])("with %s it is critical", async (_what, tls, skips, reason) => {
  const { status, output } = await run(tls, skips);
  expect(status).toBe("critical");
  expect(output).toContain(`/": ${reason}`);
});
