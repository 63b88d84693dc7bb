// `tls cert create`: a certificate for a server, a client or the command line, signed by the authority of
// `tls ca create`.

import { existsSync, readFileSync } from "node:fs";
import { isIP } from "node:net";

import {
  type CertificateAndKey,
  clientPurpose,
  createAgentCertificate,
  serverPurpose,
} from "../../../../connect/agent-certificates.ts";
import { command, Failure, messageOf } from "../../../command.ts";
import { type FlagValues, intFlag, listFlag, switchFlag, textFlag } from "../../../flags.ts";
import { openError } from "../../../../agent/go-reasons.ts";
import { writeNew } from "../../../new-files.ts";

const numbersMax = 10_000;

const flags = {
  "additional-dnsname": listFlag("One more DNS name, besides localhost. May be repeated."),
  "additional-ipaddress": listFlag("One more IP address, besides 127.0.0.1. May be repeated."),
  ca: textFlag("File of the authority's certificate.", "#DOMAIN#-agent-ca.pem"),
  cli: switchFlag("Make a certificate for the command line."),
  client: switchFlag("Make a certificate for client agents."),
  days: intFlag("Days from now on that it is valid.", 365),
  dc: textFlag("Datacenter. It matters for -server only.", "dc1"),
  domain: textFlag("Domain. It matters for -server only.", "consul"),
  key: textFlag("File of the authority's key.", "#DOMAIN#-agent-ca-key.pem"),
  node: textFlag("With -server: name of the node, for <node>.server.<datacenter>.<domain>."),
  server: switchFlag("Make a certificate for servers."),
};

type Role = "server" | "client" | "cli";
type Flags = FlagValues<typeof flags>;

const purposesOf: Readonly<Record<Role, readonly string[]>> = {
  server: [serverPurpose, clientPurpose],
  client: [clientPurpose, serverPurpose],
  cli: [],
};

const serverWarning = `==> WARNING: Server Certificates grants authority to become a
    server and access all state in the cluster including root keys
    and all ACL tokens. Do not distribute them to production hosts
    that are not server nodes. Store them as securely as CA keys.`;

export default command({
  usage: ["tls cert create [options]"],
  about: `
Makes a certificate with its key:

    $ consul tls cert create -server
    $ consul tls cert create -client`,
  asks: "nobody",
  flags,
  async run({ flags: given, print }) {
    const role = roleOf(given);
    const { dc, domain, days } = given;
    const files = freeNames(`${dc}-${role}-${domain}`);
    const caFile = given.ca.replace("#DOMAIN#", domain);
    const keyFile = given.key.replace("#DOMAIN#", domain);
    const authority: CertificateAndKey = {
      certificate: read(caFile, "Error reading CA"),
      key: read(keyFile, "Error reading CA key"),
    };
    if (role === "server") print(serverWarning);
    print(`==> Using ${caFile} and ${keyFile}`);
    const commonName = `${role}.${dc}.${domain}`;
    const names = namesOf(given, role, commonName);
    // Consul's text: it makes an address of no bytes, and cannot read its own certificate.
    if (names.addresses.some((address) => isIP(address) === 0)) {
      throw new Failure("failed to parse certificate");
    }
    const made = await createAgentCertificate({
      authority,
      commonName,
      ...names,
      purposes: purposesOf[role],
      days,
      nowMs: Date.now(),
    }).catch((failure: unknown) => {
      throw new Failure(messageOf(failure));
    });
    writeNew(files.certificate, made.certificate, "certificate");
    print(`==> Saved ${files.certificate}`);
    writeNew(files.key, made.key, "key");
    print(`==> Saved ${files.key}`);
  },
});

function roleOf({ ca, key, server, client, cli, node }: Flags): Role {
  if (ca === "") throw new Failure("Please provide the ca");
  if (key === "") throw new Failure("Please provide the key");
  const roles = Object.entries({ server, client, cli }).flatMap(([name, is]) =>
    is ? [name as Role] : [],
  );
  const [role, ...more] = roles;
  if (role === undefined || more.length > 0) {
    throw new Failure("Please provide either -server, -client, or -cli");
  }
  if (node !== "" && role !== "server") throw new Failure("-node requires -server");
  return role;
}

/** The command line listens nowhere: Consul gives its certificate no loopback address and no further DNS names. */
function namesOf(given: Flags, role: Role, commonName: string) {
  const addresses = trimmed(given["additional-ipaddress"]);
  if (role === "cli") return { dnsNames: [commonName, "localhost"], addresses };
  const node = given.node === "" ? [] : [`${given.node}.${commonName}`];
  return {
    dnsNames: [...trimmed(given["additional-dnsname"]), ...node, commonName, "localhost"],
    addresses: [...addresses, "127.0.0.1"],
  };
}

function trimmed(values: readonly string[]): string[] {
  return values.filter((value) => value !== "").map((value) => value.trim());
}

function freeNames(prefix: string): CertificateAndKey {
  for (let number = 0; number <= numbersMax; number++) {
    const certificate = `${prefix}-${number}.pem`;
    const key = `${prefix}-${number}-key.pem`;
    if (!existsSync(certificate) && !existsSync(key)) return { certificate, key };
  }
  throw new Failure("Could not find a filename that doesn't already exist");
}

function read(file: string, context: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (failure) {
    throw new Failure(`${context}: ${openError(file, failure)}`);
  }
}
