// TLS at the ports of a server, from both ends: who gets in as what, whom a caller believes, and certificates that
// change.

import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { request as plainRequest } from "node:http";
import { connect } from "node:net";
import { join } from "node:path";
import { connect as connectTls } from "node:tls";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";

import { PeerWire } from "../../durable/platform/node/peer-wire.ts";
import { listenServerPort, type Listener } from "../../src/agent/servers/server-port.ts";
import { Trust } from "../../src/agent/servers/trust.ts";
import { type TlsFiles, TlsMaterial } from "../../src/agent/tls/material.ts";
import { peerTls } from "../../src/agent/tls/peers.ts";
import { type CertificateAndKey, clientPurpose } from "../../src/connect/agent-certificates.ts";
import { serverKeyHeader } from "../../src/link/protocol.ts";
import { agentAuthority, agentCertificate, noTls, writeCertificate } from "../support/agent-tls.ts";
import { eventually } from "../support/eventually.ts";
import { freePort } from "../support/free-ports.ts";
import { stopAll, temporaryDirectory } from "../support/proconsul.ts";

const home = { datacenter: "dc1", dns: { domain: "consul" } };
const serverKey = "known to servers only";

let folder: string;
let port: number;
let told: string[];
let listener: Listener;
const wires: PeerWire[] = [];

beforeAll(async () => {
  folder = temporaryDirectory();
  const [authority, other] = await Promise.all([agentAuthority(), agentAuthority()]);
  writeFileSync(join(folder, "ca.pem"), authority.certificate);
  writeFileSync(join(folder, "other-ca.pem"), other.certificate);
  writeFileSync(join(folder, "both-ca.pem"), authority.certificate + other.certificate);
  const made: Record<string, Promise<CertificateAndKey>> = {
    server: agentCertificate(authority, "server.dc1.consul"),
    abroad: agentCertificate(authority, "server.dc2.consul"),
    client: agentCertificate(authority, "client.dc1.consul"),
    foreign: agentCertificate(other, "server.dc1.consul"),
    expired: agentCertificate(authority, "server.dc1.consul", { expired: true }),
    clientOnly: agentCertificate(authority, "server.dc1.consul", { purposes: [clientPurpose] }),
  };
  for (const [name, one] of Object.entries(made)) writeCertificate(folder, name, await one);
});
afterAll(stopAll);
afterEach(async () => {
  for (const wire of wires.splice(0)) wire.close();
  await listener.close();
});

type Tls = TlsFiles["tls"];
const strict: Partial<Tls> = {
  ...{ verifyIncomingRpc: true, verifyOutgoing: true, verifyServerHostname: true },
};

function files(pair: string | null, tls: Partial<Tls> = {}, ca = "ca"): TlsFiles {
  const own = {
    certFile: pair === null ? "" : join(folder, `${pair}.pem`),
    keyFile: pair === null ? "" : join(folder, `${pair}-key.pem`),
  };
  return { caFile: join(folder, `${ca}.pem`), caPath: "", tls: { ...noTls, ...own, ...tls } };
}

async function listen(given: TlsFiles, key = ""): Promise<TlsMaterial> {
  port = await freePort();
  told = [];
  const tls = new TlsMaterial(given);
  const trust = new Trust({
    ...home,
    ...{ gossipKey: "", serverKey: key, gossipNetworks: null },
    ...{ advertiseAddress: "127.0.0.1", bindAddress: "127.0.0.1", tls: given.tls },
    gossip: { verifyIncoming: true },
  });
  const host = {
    handle: (_request: unknown, response: { end(text: string): void }) => response.end("fine"),
    upgrade: () => undefined,
  };
  const log = {
    warn: (_name: string, _text: string, { reason = "" }: Record<string, string> = {}) =>
      void told.push(reason),
  };
  const address = { host: "127.0.0.1", port, flag: "-server-port" };
  listener = await listenServerPort(
    { tls, trust, log, host: () => host, gossip: null, autoEncrypt: null },
    address,
  );
  return tls;
}

function wire(given: TlsFiles | null): PeerWire {
  const made = new PeerWire(given && peerTls(new TlsMaterial(given).current, home));
  wires.push(made);
  return made;
}

async function call(by: PeerWire, op = "raft", headers: Record<string, string> = {}) {
  return (await by.post(`http://127.0.0.1:${port}/rpc/${op}`, headers, "", 5_000)).status;
}

describe("who comes to a server that verifies", () => {
  test.each<[string | null, string, number | string]>([
    ["server", "raft", 200],
    ["abroad", "requests", 200],
    ["abroad", "authority", 200],
    ["abroad", "raft", 403],
    ["client", "raft", 403],
    ["client", "requests", 403],
    ["foreign", "raft", "the certificate was signed by an unknown authority"],
    ["expired", "raft", "the certificate has expired"],
    [null, "raft", "the client shows no certificate"],
  ])("with the certificate %s, for /rpc/%s: %s", async (pair, op, expected) => {
    await listen(files("server", strict));
    const by = wire(files(pair, { verifyOutgoing: true, verifyServerHostname: true }));
    if (typeof expected === "number") expect(await call(by, op)).toBe(expected);
    else await expect(call(by, op)).rejects.toThrow();
    const reason = expected === 403 ? "no certificate for server.dc1.consul was shown" : expected;
    if (expected === 200) expect(told).toEqual([]);
    else await eventually(() => told.includes(`${reason}`), { what: `${reason}` });
  });

  test("in clear text gets no answer", async () => {
    await listen(files("server", strict));
    await expect(call(wire(null))).rejects.toThrow(/hang up|ECONNRESET/);
    expect(told).toEqual(["it does not speak TLS, which verify_incoming demands"]);
  });

  test("and says nothing is cut off in time", async () => {
    await listen(files("server", { ...strict, rpcHandshakeMs: 50 }));
    const socket = connect(port, "127.0.0.1");
    await once(socket.resume(), "close");
    expect(told).toEqual(["the handshake took too long"]);
  });

  test("and only looks whether somebody listens is no trouble", async () => {
    await listen(files("server", { ...strict, rpcHandshakeMs: 30_000 }));
    const socket = connect(port, "127.0.0.1");
    await once(socket, "connect");
    socket.end();
    await once(socket.resume(), "close");
    expect(told).toEqual([]);
  });

  test("a thousand times at once from one address does not keep out another", async () => {
    await listen(files("server", { ...strict, rpcHandshakeMs: 30_000 }));
    const sockets = Array.from({ length: 1_000 }, () => connect(port, "127.0.0.1"));
    for (const socket of sockets) socket.on("error", () => undefined).resume();
    const open = (): number =>
      sockets.filter(({ closed, connecting }) => !closed && !connecting).length;
    const settled = (): boolean => sockets.every(({ connecting }) => !connecting) && open() <= 128;
    await eventually(settled, { what: "the others were closed" });
    expect(new Set(told)).toEqual(new Set(["too many handshakes at once"]));
    await expect(call(wire(files("server", strict)))).rejects.toThrow();
    const other = connect({ port, host: "127.0.0.1", localAddress: "127.0.0.9" });
    await once(other, "connect");
    const socket = connectTls({ socket: other, ca: readFileSync(join(folder, "ca.pem")) });
    await once(socket, "secureConnect");
    socket.destroy();
    for (const one of sockets) one.destroy();
  });

  test("with the server key and a client's certificate is no server", async () => {
    await listen(files("server", strict), serverKey);
    const by = wire(files("client", { verifyOutgoing: true }));
    expect(await call(by, "raft", { [serverKeyHeader]: serverKey })).toBe(403);
    // A server's certificate replaces the key.
    expect(await call(wire(files("server", { verifyOutgoing: true })))).toBe(200);
  });

  test("with an old version only is refused", async () => {
    await listen(files("server", strict));
    const socket = connect(port, "127.0.0.1");
    // A hello of TLS 1.0, as it was recorded from OpenSSL, without extensions.
    const random = "00".repeat(32);
    const body = `0301${random}000004c013c0090100`;
    const hello = `010000${(body.length / 2).toString(16).padStart(2, "0")}${body}`;
    const size = (hello.length / 2).toString(16).padStart(4, "0");
    socket.write(Buffer.from(`160301${size}${hello}`, "hex"));
    const [alert] = (await once(socket, "data")) as [Buffer];
    // Fatal: protocol version.
    expect([...alert.subarray(5)]).toEqual([2, 70]);
    socket.destroy();
    await eventually(() => told.length > 0, { what: "the refusal is told" });
    expect(told[0]).toContain("below tls_min_version");
  });
});

describe("on the way there", () => {
  test("TLS and clear text share the port", async () => {
    await listen(files("server"));
    expect(await call(wire(null))).toBe(200);
    expect(await call(wire(files("server", { verifyOutgoing: true })))).toBe(200);
    expect(await call(wire(files(null, { verifyOutgoing: true })))).toBe(200);
    expect(told).toEqual([]);
  });

  test("a connection in clear text is kept and used again", async () => {
    await listen(files("server"));
    const by = wire(null);
    for (let n = 0; n < 3; n++) expect(await call(by)).toBe(200);
  });

  test("a request that comes byte by byte is read whole", async () => {
    await listen(files("server"));
    const request = plainRequest({ host: "127.0.0.1", port, path: "/rpc/raft", method: "POST" });
    request.flushHeaders();
    request.write("a");
    request.end("b");
    const [response] = (await once(request, "response")) as [{ statusCode: number }];
    expect(response.statusCode).toBe(200);
  });
});

describe("whom a caller believes", () => {
  const verifying = { verifyOutgoing: true, verifyServerHostname: true };

  test.each<[string, string, string]>([
    [
      "client",
      "raft",
      "x509: certificate is valid for client.dc1.consul, localhost, not server.dc1",
    ],
    [
      "abroad",
      "raft",
      "x509: certificate is valid for server.dc2.consul, localhost, not server.dc1",
    ],
    ["foreign", "raft", "self-signed certificate in certificate chain|unable to verify"],
    ["expired", "raft", "certificate has expired"],
    ["clientOnly", "raft", "unsuitable certificate purpose|unsupported certificate purpose"],
  ])("not a server that shows %s for /rpc/%s", async (pair, op, reason) => {
    await listen(files(pair));
    await expect(call(wire(files("server", verifying)), op)).rejects.toThrow(new RegExp(reason));
  });

  test("a server of another datacenter, where datacenters talk to each other", async () => {
    await listen(files("abroad"));
    expect(await call(wire(files("server", verifying)), "federate")).toBe(200);
  });

  test("whatever the authority signed, without verify_server_hostname", async () => {
    await listen(files("client"));
    expect(await call(wire(files("server", { verifyOutgoing: true })))).toBe(200);
  });

  test("never a server in clear text", async () => {
    await listen({ ...files(null), caFile: "" });
    await expect(call(wire(files("server", verifying)))).rejects.toThrow();
  });
});

test("authorities and certificates change at both ends while calls go on, and none fails", async () => {
  const material = await listen(files("server", strict));
  const by = wire(files("server", strict));
  const under = { going: true };
  let answered = 0;
  const load = Array.from({ length: 4 }, async () => {
    while (under.going) {
      expect(await call(by)).toBe(200);
      answered++;
    }
  });
  // Both are believed; then one end after the other shows the new one; then only that is believed.
  const steps: [TlsFiles, TlsFiles][] = [
    [files("server", strict, "both-ca"), files("server", strict, "both-ca")],
    [files("foreign", strict, "both-ca"), files("server", strict, "both-ca")],
    [files("foreign", strict, "both-ca"), files("foreign", strict, "both-ca")],
    [files("foreign", strict, "other-ca"), files("foreign", strict, "other-ca")],
  ];
  for (const [ofServer, ofCaller] of steps) {
    material.reload(ofServer);
    by.use(peerTls(new TlsMaterial(ofCaller).current, home));
    const before = answered;
    await eventually(() => answered > before + 8, { what: "calls went on" });
  }
  under.going = false;
  await Promise.all(load);
  expect(told).toEqual([]);
  await expect(call(wire(files("server", strict)))).rejects.toThrow();
});
