// `tls ca create` and `tls cert create`: what they print, the files they leave, and that the real Consul and this
// command line take each other's.

import { X509Certificate } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";

import {
  isPermitted,
  nameConstraints,
  permittedDomains,
} from "../../src/connect/name-constraints.ts";
import { consulBinary } from "../support/consul.ts";
import { mainFile } from "../support/proconsul.ts";
import { type Result, run } from "../support/programs.ts";

// Each step is a process, or several.
vi.setConfig({ testTimeout: 60_000 });

const consul = consulBinary();
const root = mkdtempSync(join(tmpdir(), "proconsul-tls-"));
const ours = mkdtempSync(join(root, "ours-"));
const theirs = mkdtempSync(join(root, "theirs-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

async function proconsul(cwd: string, ...args: string[]): Promise<Result> {
  return await run(process.execPath, [mainFile, "tls", ...args], { cwd });
}

async function reference(cwd: string, ...args: string[]): Promise<Result> {
  return await run(consul ?? "", ["tls", ...args], { cwd });
}

function certificate(file: string, cwd = ours): X509Certificate {
  return new X509Certificate(readFileSync(join(cwd, file)));
}

const warning = `==> WARNING: Server Certificates grants authority to become a
    server and access all state in the cluster including root keys
    and all ACL tokens. Do not distribute them to production hosts
    that are not server nodes. Store them as securely as CA keys.
`;
const using = "==> Using consul-agent-ca.pem and consul-agent-ca-key.pem\n";
const saved = (name: string): string => `==> Saved ${name}.pem\n==> Saved ${name}-key.pem\n`;
const exists = "consul-agent-ca.pem already exists.\n";
const choose = "Please provide either -server, -client, or -cli\n";
const notPermitted =
  "x509: a root or intermediate certificate is not authorized to sign for this name: " +
  'DNS name "server.dc1.consul" is not permitted by any constraint\n';

/** In this order, each in the same directory: arguments, exit code, stdout, stderr. */
const steps: readonly (readonly [string, number, string, string])[] = [
  ["ca create", 0, saved("consul-agent-ca"), ""],
  ["ca create", 1, "", exists],
  ["cert create", 1, "", choose],
  ["cert create -server -client", 1, "", choose],
  ["cert create -client -node x", 1, "", "-node requires -server\n"],
  ["cert create -client -ca=", 1, "", "Please provide the ca\n"],
  ["cert create -client -key=", 1, "", "Please provide the key\n"],
  ["cert create -server -node foo", 0, warning + using + saved("dc1-server-consul-0"), ""],
  ["cert create -server", 0, warning + using + saved("dc1-server-consul-1"), ""],
  ["cert create -client -dc dc2", 0, using + saved("dc2-client-consul-0"), ""],
  [
    "cert create -cli -additional-dnsname a.b -additional-ipaddress ::1",
    0,
    using + saved("dc1-cli-consul-0"),
    "",
  ],
  [
    "cert create -client -ca nope",
    1,
    "",
    "Error reading CA: open nope: no such file or directory\n",
  ],
  [
    "cert create -client -key nope",
    1,
    "",
    "Error reading CA key: open nope: no such file or directory\n",
  ],
  [
    "cert create -client -key consul-agent-ca.pem",
    1,
    "==> Using consul-agent-ca.pem and consul-agent-ca.pem\n",
    "unknown PEM block type for signing key: CERTIFICATE\n",
  ],
  [
    "cert create -client -ca consul-agent-ca-key.pem",
    1,
    "==> Using consul-agent-ca-key.pem and consul-agent-ca-key.pem\n",
    "first PEM-block should be CERTIFICATE type\n",
  ],
  ["cert create -client -additional-ipaddress zz", 1, using, "failed to parse certificate\n"],
  [
    "ca create -domain foo -name-constraint -additional-name-constraint bar",
    0,
    saved("foo-agent-ca"),
    "",
  ],
  [
    "cert create -server -ca foo-agent-ca.pem -key foo-agent-ca-key.pem",
    1,
    `${warning}==> Using foo-agent-ca.pem and foo-agent-ca-key.pem\n`,
    notPermitted,
  ],
  [
    "cert create -client -domain foo",
    0,
    `==> Using foo-agent-ca.pem and foo-agent-ca-key.pem\n${saved("dc1-client-foo-0")}`,
    "",
  ],
];

describe("what it prints", () => {
  test.each(steps)("tls %s", async (args, code, stdout, stderr) => {
    const words = args.split(" ");
    expect(await proconsul(ours, ...words)).toEqual({ code, stdout, stderr });
    if (consul !== null)
      expect(await reference(theirs, ...words)).toEqual({ code, stdout, stderr });
  });

  test("a certificate that is over when it begins, and a key of another authority", async () => {
    const over = await proconsul(ours, "cert", "create", "-client", "-days", "0");
    expect(over.stderr).toMatch(
      /^x509: certificate has expired or is not yet valid: current time \S+Z is after \S+Z\n$/,
    );
    const foreign = await proconsul(
      ours,
      "cert",
      "create",
      "-client",
      "-key",
      "foo-agent-ca-key.pem",
    );
    expect(foreign.stderr.replace(/\d{10,}/, "N")).toBe(
      "x509: certificate signed by unknown authority (possibly because of " +
        '"x509: ECDSA verification failure" while trying to verify candidate authority ' +
        'certificate "Consul Agent CA N")\n',
    );
    expect([over.code, foreign.code]).toEqual([1, 1]);
  });
});

describe("the files", () => {
  test("the authority is one, for five years, and its serial number stands in its name", () => {
    const authority = certificate("consul-agent-ca.pem");
    expect(authority.ca).toBe(true);
    expect(authority.subject).toContain("street=101 Second Street");
    expect(authority.subject).toContain(
      `CN=Consul Agent CA ${BigInt(`0x${authority.serialNumber}`)}`,
    );
    const days = (Date.parse(authority.validTo) - Date.parse(authority.validFrom)) / 86_400_000;
    expect(days).toBe(365 * 5);
  });

  test.each([
    [
      "dc1-server-consul-0.pem",
      "DNS:foo.server.dc1.consul, DNS:server.dc1.consul, DNS:localhost, IP Address:127.0.0.1",
      ["1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"],
    ],
    [
      "dc2-client-consul-0.pem",
      "DNS:client.dc2.consul, DNS:localhost, IP Address:127.0.0.1",
      ["1.3.6.1.5.5.7.3.2", "1.3.6.1.5.5.7.3.1"],
    ],
    [
      "dc1-cli-consul-0.pem",
      "DNS:cli.dc1.consul, DNS:localhost, IP Address:0:0:0:0:0:0:0:1",
      undefined,
    ],
  ])("%s is for its names and purposes, and by its authority", (file, names, purposes) => {
    const authority = certificate("consul-agent-ca.pem");
    const leaf = certificate(file);
    expect(leaf.subjectAltName).toBe(names);
    expect(leaf.keyUsage).toEqual(purposes);
    expect(leaf.ca).toBe(false);
    expect(leaf.checkIssued(authority) && leaf.verify(authority.publicKey)).toBe(true);
  });

  test("keys are for their owner only", () => {
    expect(statSync(join(ours, "consul-agent-ca-key.pem")).mode & 0o777).toBe(0o600);
    expect(statSync(join(ours, "dc1-server-consul-0-key.pem")).mode & 0o777).toBe(0o600);
  });

  test("a key that is there alone stays as it is", async () => {
    writeFileSync(join(ours, "left-agent-ca-key.pem"), "mine");
    const result = await proconsul(ours, "ca", "create", "-domain", "left");
    expect(result).toEqual({
      code: 1,
      stdout: "",
      stderr: "left-agent-ca-key.pem already exists.\n",
    });
    expect(readFileSync(join(ours, "left-agent-ca-key.pem"), "utf8")).toBe("mine");
  });
});

describe.runIf(consul !== null)("beside the real Consul", () => {
  beforeAll(() => {
    for (const name of ["consul-agent-ca.pem", "consul-agent-ca-key.pem"]) {
      writeFileSync(join(ours, `their-${name}`), readFileSync(join(theirs, name)));
      writeFileSync(join(theirs, `our-${name}`), readFileSync(join(ours, name)));
    }
  });

  test.each([
    ["ours signs with theirs", proconsul, ours, "their"],
    ["theirs signs with ours", reference, theirs, "our"],
  ] as const)("%s", async (_name, program, cwd, prefix) => {
    const authority = `${prefix}-consul-agent-ca.pem`;
    const files = ["-ca", authority, "-key", `${prefix}-consul-agent-ca-key.pem`];
    const result = await program(cwd, "cert", "create", "-server", "-dc", prefix, ...files);
    expect(result).toMatchObject({ code: 0, stderr: "" });
    const leaf = certificate(`${prefix}-server-consul-0.pem`, cwd);
    expect(leaf.verify(certificate(authority, cwd).publicKey)).toBe(true);
  });
});

test.each([
  ["foo", ["foo"], true],
  ["a.FOO", ["foo"], true],
  ["afoo", ["foo"], false],
  ["foo", [".foo"], false],
  ["a.foo", [".foo"], true],
  ["anything", [], true],
  ["anything", [""], true],
])("the name %s under %j: %s", (name, domains, expected) => {
  expect(isPermitted(name, domains)).toBe(expected);
  expect(permittedDomains(nameConstraints(domains))).toEqual(domains);
});

test("a time that no certificate can name is refused, and nothing is written", async () => {
  const directory = mkdtempSync(join(root, "late-"));
  const reason = "asn1: structure error: cannot represent time as GeneralizedTime\n";
  const authority = await proconsul(directory, "ca", "create", "-days", "9999999");
  expect([authority.code, authority.stdout, authority.stderr]).toEqual([
    ...[1, "", `error generating CA certificate: ${reason}`],
  ]);
  expect(readdirSync(directory)).toEqual([]);
  await proconsul(directory, "ca", "create", "-days", "2900000");
  const made = await proconsul(directory, "cert", "create", "-client", "-days", "9999999");
  expect([made.code, made.stdout, made.stderr]).toEqual([1, using, reason]);
  expect(readdirSync(directory).toSorted()).toEqual([
    ...["consul-agent-ca-key.pem", "consul-agent-ca.pem"],
  ]);
});
