// DNS over TLS at a host agent and over HTTPS at the Worker, asked with the programs that people and resolvers use:
// kdig, curl and dnsdist, each through real ports and certificates.

import { once } from "node:events";
import { type ChildProcess, spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { connect, type TLSSocket } from "node:tls";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { dnsQuestion, framed, idOf } from "../support/dns-wire.ts";
import { eventually } from "../support/eventually.ts";
import { freePort } from "../support/free-ports.ts";
import { Proconsul, stopAll, temporaryDirectory } from "../support/proconsul.ts";
import { isInstalled, run } from "../support/programs.ts";
import { type Authority, makeAuthority } from "../support/tls.ts";
import { startTlsFront, type TlsFront } from "../support/tls-front.ts";

const name = "consul.service.consul";

let agent: Proconsul;
let authority: Authority;
let folder: string;
let tlsPort: number;
let front: TlsFront;
const file = (leaf: string): string => join(folder, leaf);

function writePair({ server, pem }: Authority): void {
  writeFileSync(file("server.pem"), server.cert);
  writeFileSync(file("server.key"), server.key);
  writeFileSync(file("ca.pem"), pem);
}

beforeAll(async () => {
  folder = temporaryDirectory();
  authority = await makeAuthority();
  writePair(authority);
  tlsPort = await freePort();
  writeFileSync(
    file("tls.json"),
    JSON.stringify({ cert_file: file("server.pem"), key_file: file("server.key") }),
  );
  const tls = ["-dns-tls-port", `${tlsPort}`, "-config-file", file("tls.json")];
  agent = await Proconsul.start({ edge: true, args: ["-dev", ...tls] });
  front = await startTlsFront(agent.workerUrl, authority.server);
});
afterAll(async () => {
  front.close();
  await stopAll();
});

async function kdig(...args: string[]): Promise<string> {
  const trust = [`+tls-ca=${file("ca.pem")}`, "+tls-hostname=registry.example"];
  return (await run("kdig", ["@127.0.0.1", ...args, ...trust, name])).stdout;
}

async function tlsClient(ca = authority.pem): Promise<TLSSocket> {
  const socket = connect({ host: "127.0.0.1", port: tlsPort, ca, ALPNProtocols: ["dot"] });
  await once(socket, "secureConnect");
  return socket;
}

describe("over TLS", () => {
  test("five hundred questions at once are answered on one connection", async () => {
    const socket = await tlsClient();
    expect(socket.alpnProtocol).toBe("dot");
    const ids = Array.from({ length: 500 }, (_, id) => id);
    socket.write(Buffer.concat(ids.map((id) => framed(dnsQuestion(id, name)))));
    let received = Buffer.alloc(0);
    const answered = new Set<number>();
    for await (const chunk of socket) {
      received = Buffer.concat([received, chunk as Buffer]);
      while (received.length >= 2 && received.length >= 2 + received.readUInt16BE(0)) {
        const end = 2 + received.readUInt16BE(0);
        answered.add(idOf(received.subarray(2, end)));
        received = received.subarray(end);
      }
      if (answered.size === ids.length) break;
    }
    expect([...answered].toSorted((a, b) => a - b)).toEqual(ids);
  });

  test("who does not speak TLS gets nothing, and the next one its answer", async () => {
    const { connect: plain } = await import("node:net");
    const socket = plain(tlsPort, "127.0.0.1");
    socket.on("error", () => undefined);
    socket.write(framed(dnsQuestion(1, name)));
    await once(socket, "close");
    (await tlsClient()).destroy();
  });

  test("a SIGHUP takes another certificate; a wrong one is told, and the old one stays", async () => {
    const other = await makeAuthority();
    writePair(other);
    writeFileSync(file("server.key"), authority.server.key);
    process.kill(agent.pid, "SIGHUP");
    await eventually(() => agent.output.includes("private key does not match public key"), {
      what: "it says so",
    });
    (await tlsClient()).destroy();
    writePair(other);
    process.kill(agent.pid, "SIGHUP");
    await eventually(() => agent.output.includes("Reloaded configuration"), { what: "it reloads" });
    (await tlsClient(other.pem)).destroy();
    writePair(authority);
    process.kill(agent.pid, "SIGHUP");
    await eventually(
      async () => {
        const socket = await tlsClient().catch(() => null);
        socket?.destroy();
        return socket !== null;
      },
      { what: "the first one is back" },
    );
  });

  test("without a certificate it does not start, and says why", async () => {
    const port = ["-dns-tls-port", `${await freePort()}`];
    const bare = await Proconsul.spawn({ args: ["-dev", ...port] });
    expect((await bare.exited).code).toBe(1);
    expect(bare.output).toContain("ports.dns_tls needs cert_file and key_file");
    writeFileSync(file("wrong.json"), JSON.stringify({ cert_file: "/none", key_file: "/none" }));
    const config = ["-config-file", file("wrong.json")];
    const wrong = await Proconsul.spawn({ args: ["-dev", ...port, ...config] });
    expect((await wrong.exited).code).toBe(1);
    expect(wrong.output).toContain(
      "Failed to load cert/key pair: open /none: no such file or directory",
    );
  });
});

describe("kdig", () => {
  const installed = isInstalled("kdig");
  test.runIf(installed).each([
    ["+tls", (): number => tlsPort],
    ["+https", (): number => front.port],
    ["+https-get", (): number => front.port],
  ])("%s, with a certificate that it verifies, and padding", async (how, port) => {
    const said = await kdig("-p", `${port()}`, how, "+padding");
    expect(said).toContain("status: NOERROR");
    expect(said).toMatch(/consul\.service\.consul\.\s+0\s+IN\s+A\s+127\.0\.0\.1/);
    expect(said).toMatch(/Received 468 B/);
  });
});

describe("curl", () => {
  test.runIf(isInstalled("curl"))("finds a host by --doh-url", async () => {
    const { stdout, stderr } = await run("curl", [
      ...[
        "-sS",
        "--cacert",
        file("ca.pem"),
        "--doh-url",
        `https://registry.example:${front.port}/dns-query`,
      ],
      ...["--resolve", `registry.example:${front.port}:127.0.0.1`],
      `http://${name}:${agent.ports.http}/v1/status/leader`,
    ]);
    expect(stderr).toBe("");
    expect(stdout).toMatch(/^"127\.0\.0\.1:\d+"/);
  });
});

describe("dnsdist", () => {
  let forwarder: ChildProcess | null = null;
  afterAll(() => void forwarder?.kill());

  test.runIf(isInstalled("dnsdist")).each([
    ["over TLS", (): [number, string] => [tlsPort, ""]],
    ["over HTTPS", (): [number, string] => [front.port, ', dohPath="/dns-query"']],
  ])("asks for its clients, %s", async (_how, backend) => {
    const [port, path] = backend();
    const own = await freePort();
    const trust = `tls="openssl", subjectName="registry.example", caStore="${file("ca.pem")}"`;
    writeFileSync(
      file("dnsdist.conf"),
      `setLocal("127.0.0.1:${own}")\nsetSecurityPollSuffix("")\n` +
        `newServer({address="127.0.0.1:${port}", ${trust}, validateCertificates=true, ` +
        `checkName="${name}."${path}})\n`,
    );
    const args = ["--supervised", "--disable-syslog", "-C", file("dnsdist.conf")];
    forwarder = spawn("dnsdist", args, { stdio: "ignore" });
    await eventually(
      async () => {
        const asked = ["@127.0.0.1", "-p", `${own}`, "+short", "+timeout=2", name];
        return (await run("dig", asked)).stdout.trim() === "127.0.0.1";
      },
      { what: "it answers", limitMs: 20_000 },
    );
    const ended = once(forwarder, "close");
    forwarder.kill();
    await ended;
  });
});
