// HTTPS at the agent's door: who gets in, who does not and why, and certificates that change under open connections.

import { once } from "node:events";
import { writeFileSync } from "node:fs";
import type { Server } from "node:http";
import { Agent, request } from "node:https";
import { connect as connectPlain } from "node:net";
import { join } from "node:path";
import { connect, type ConnectionOptions } from "node:tls";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";

import { HttpAnswers } from "../../src/agent/http/answers.ts";
import { listenHttp } from "../../src/agent/http/server.ts";
import { type TlsFiles, TlsMaterial } from "../../src/agent/tls/material.ts";
import { type CertificateAndKey, serverPurpose } from "../../src/connect/agent-certificates.ts";
import { IntervalMetrics } from "../../src/core/lib/interval-metrics.ts";
import { agentAuthority, agentCertificate, noTls, writeCertificate } from "../support/agent-tls.ts";
import { eventually } from "../support/eventually.ts";
import { freePort } from "../support/free-ports.ts";
import { stopAll, temporaryDirectory } from "../support/proconsul.ts";

type Names = "client" | "cli" | "foreign" | "expired" | "serverOnly";

let folder: string;
let authority: CertificateAndKey;
let foreign: CertificateAndKey;
const certificates = {} as Record<Names, CertificateAndKey>;
let server: Server;
let port: number;
let refusals: string[];

beforeAll(async () => {
  folder = temporaryDirectory();
  authority = await agentAuthority();
  writeFileSync(join(folder, "ca.pem"), authority.certificate);
  foreign = await agentAuthority();
  certificates.client = await agentCertificate(authority, "client.dc1.consul");
  certificates.cli = await agentCertificate(authority, "cli.dc1.consul", { purposes: [] });
  certificates.foreign = await agentCertificate(foreign, "client.dc1.consul");
  certificates.expired = await agentCertificate(authority, "client.dc1.consul", { expired: true });
  certificates.serverOnly = await agentCertificate(authority, "server.dc1.consul", {
    purposes: [serverPurpose],
  });
  await renew("server");
});
afterAll(stopAll);
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

async function renew(name: string): Promise<void> {
  writeCertificate(folder, name, await agentCertificate(authority, "server.dc1.consul"));
}

function files(tls: Partial<TlsFiles["tls"]> = {}, name = "server"): TlsFiles {
  const pair = {
    certFile: join(folder, `${name}.pem`),
    keyFile: join(folder, `${name}-key.pem`),
  };
  return { caFile: join(folder, "ca.pem"), caPath: "", tls: { ...noTls, ...pair, ...tls } };
}

async function listen(given: TlsFiles, handshakeMs = 5_000): Promise<TlsMaterial> {
  port = await freePort();
  refusals = [];
  const material = new TlsMaterial(given);
  const parts = {
    fetch: () => new Response("fine"),
    kept: new HttpAnswers(),
    requests: new IntervalMetrics().counter("http.requests"),
    config: {
      ...{ allowedHosts: [], blockEndpoints: ["/v1/session"], allowWriteHttpFrom: [] },
      ...{ responseHeaders: {}, translatesAddresses: false, maxConnectionsPerClient: 100 },
      ...{ usesCache: true, refusesUnprintable: true },
    },
    limits: { connectionsMax: 100 },
    ...{ nodeName: "n", domain: "consul", loopbackOnly: true },
  };
  const address = { host: "127.0.0.1", port, flag: "-https-port" };
  server = await listenHttp(parts, address, {
    ...{ material, handshakeMs },
    refused: (_from, reason) => void refusals.push(reason),
  });
  return material;
}

const shown = (name: Names | null): ConnectionOptions =>
  name === null ? {} : { cert: certificates[name].certificate, key: certificates[name].key };

interface Answered {
  status: number;
  text: string;
}

async function ask(options: ConnectionOptions, agent?: Agent, path = "/v1/x"): Promise<Answered> {
  const { certificate: ca } = authority;
  return await new Promise((resolve, reject) => {
    const common = { host: "127.0.0.1", port, path, ca };
    const call = request({ ...common, ...options, agent: agent ?? false }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (part: string) => (text += part));
      response.on("end", () => resolve({ status: response.statusCode ?? 0, text }));
    });
    call.on("error", reject);
    call.end();
  });
}

/** Resolves when the other end has closed. */
async function closed(socket: ReturnType<typeof connectPlain>): Promise<string> {
  let text = "";
  socket.setEncoding("utf8").on("data", (part: string) => (text += part));
  socket.on("error", () => undefined);
  await once(socket, "close");
  return text;
}

describe("whoever comes", () => {
  test("is answered without a certificate where none is demanded, behind the gate of HTTP", async () => {
    await listen(files());
    expect(await ask({})).toEqual({ status: 200, text: "fine" });
    expect((await ask({}, undefined, "/v1/session/list")).status).toBe(403);
    expect((await ask({ ALPNProtocols: ["h2", "http/1.1"] })).status).toBe(200);
    expect(refusals).toEqual([]);
  });

  test.each<[Names | null, string | null]>([
    ["client", null],
    ["cli", null],
    [null, "the client shows no certificate"],
    ["foreign", "the certificate was signed by an unknown authority"],
    ["expired", "the certificate has expired"],
    ["serverOnly", "the certificate is not for this purpose"],
  ])("with the certificate %s where one is demanded: %s", async (name, reason) => {
    await listen(files({ verifyIncomingHttps: true }));
    if (reason === null) {
      expect((await ask(shown(name))).status).toBe(200);
      return;
    }
    await expect(ask(shown(name))).rejects.toThrow();
    await eventually(() => refusals.length > 0, { what: "the refusal is told" });
    expect(refusals).toEqual([reason]);
  });

  test("with a certificate of Connect's authority, which others vouch for, is no client", async () => {
    const material = await listen(files({ verifyIncomingHttps: true }));
    material.give({ ...material.given, vouched: [foreign.certificate] });
    await expect(ask(shown("foreign"))).rejects.toThrow();
    expect((await ask(shown("client"))).status).toBe(200);
  });

  test.each([
    ["TLSv1.1", "tls12"],
    ["TLSv1", "tls12"],
    ["TLSv1.2", "tls13"],
  ] as const)("speaks %s at most, below %s, and is refused", async (maxVersion, minVersion) => {
    await listen(files({ minVersion }));
    const old = { minVersion: "TLSv1", maxVersion, ciphers: "DEFAULT:@SECLEVEL=0" } as const;
    await expect(ask(old)).rejects.toThrow(/protocol version/);
    await eventually(() => refusals.length > 0, { what: "the refusal is told" });
    expect(refusals[0]).toContain("below tls_min_version");
  });

  test("speaks TLS 1.1 where tls11 is allowed", async () => {
    await listen(files({ minVersion: "tls11" }));
    const old = { minVersion: "TLSv1.1", maxVersion: "TLSv1.1", ciphers: "DEFAULT:@SECLEVEL=0" };
    expect((await ask(old as ConnectionOptions)).status).toBe(200);
  });

  test("speaks HTTP is told so as Go tells it", async () => {
    await listen(files());
    const socket = connectPlain(port, "127.0.0.1");
    socket.write("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
    expect(await closed(socket)).toBe(
      "HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n",
    );
    expect(refusals).toEqual(["the client does not speak TLS"]);
  });

  test.each([
    ["nothing", ""],
    ["half a handshake", "\u0016\u0003\u0001\u0002"],
  ])("says %s and no more is cut off in time", async (_name, begin) => {
    await listen(files(), 50);
    const socket = connectPlain(port, "127.0.0.1");
    socket.write(begin, "latin1");
    await closed(socket);
    expect(refusals).toEqual(["the handshake took too long"]);
  });

  test("garbage that begins like a handshake ends its connection only", async () => {
    await listen(files());
    const socket = connectPlain(port, "127.0.0.1");
    socket.write(Buffer.concat([Buffer.of(0x16, 3, 1, 0, 200), Buffer.alloc(400, 7)]));
    await closed(socket);
    expect((await ask({})).status).toBe(200);
  });
});

test("the chosen cipher suites are the only ones of TLS 1.2, and TLS 1.3 has its own", async () => {
  await listen(files({ cipherSuites: ["TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"] }));
  const tls12 = { maxVersion: "TLSv1.2" } as const;
  expect((await ask(tls12)).status).toBe(200);
  expect((await ask({})).status).toBe(200);
  await expect(ask({ ...tls12, ciphers: "ECDHE-ECDSA-AES128-GCM-SHA256" })).rejects.toThrow();
});

test("another certificate takes over with no failed request, and open connections stay", async () => {
  const material = await listen(files());
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const opened: unknown[] = [];
  agent.on("free", (socket: object) => opened.push(socket));
  await ask({}, agent);
  const under = { going: true };
  let asked = 0;
  const load = Promise.all(
    Array.from({ length: 4 }, async () => {
      while (under.going) {
        expect((await ask({})).status).toBe(200);
        asked++;
      }
    }),
  );
  for (const name of ["second", "third"]) {
    await renew(name);
    material.reload(files({}, name));
    const before = asked;
    await eventually(() => asked > before + 4, { what: "requests came after the change" });
  }
  const socket = connect({ host: "127.0.0.1", port, ca: authority.certificate });
  await once(socket, "secureConnect");
  const now = material.current.pair?.cert ?? "";
  expect(`${socket.getPeerX509Certificate()?.toString()}`.trim()).toBe(now.trim());
  socket.destroy();
  await ask({}, agent);
  expect(new Set(opened).size).toBe(1);
  under.going = false;
  await load;
  agent.destroy();
  expect(refusals).toEqual([]);
});

test("clients of whom a certificate is demanded from now on are refused, sessions of before included", async () => {
  const material = await listen(files());
  const first = connect({ host: "127.0.0.1", port, ca: authority.certificate });
  const [session] = (await once(first, "session")) as [Buffer];
  first.destroy();
  material.reload(files({ verifyIncomingHttps: true }));
  await expect(ask({ session })).rejects.toThrow();
});

test("without a certificate of its own no handshake succeeds", async () => {
  await listen(files({ certFile: "", keyFile: "" }));
  await expect(ask({})).rejects.toThrow(/handshake failure/);
});
