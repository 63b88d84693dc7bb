// Files of TLS: which are usable, in Consul's words when they are not, and how others take over.

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";

import { type TlsFiles, TlsMaterial } from "../../src/agent/tls/material.ts";
import { stopAll, temporaryDirectory } from "../support/proconsul.ts";
import { noTls } from "../support/agent-tls.ts";
import { makeAuthority } from "../support/tls.ts";

let folder: string;
const file = (name: string): string => join(folder, name);

function files(tls: Partial<TlsFiles["tls"]>, ca = "", path = ""): TlsFiles {
  return {
    caFile: ca === "" ? "" : `${folder}/${ca}`,
    caPath: path === "" ? "" : file(path),
    tls: { ...noTls, ...tls },
  };
}

beforeAll(async () => {
  folder = temporaryDirectory();
  for (const name of ["a", "b"]) {
    const { server } = await makeAuthority();
    writeFileSync(file(`${name}.pem`), server.cert);
    writeFileSync(file(`${name}.key`), server.key);
  }
  for (const name of ["empty", "authorities"]) mkdirSync(file(name));
  const pems = ["a.pem", "b.pem"].map((name) => readFileSync(file(name), "utf8"));
  writeFileSync(file("authorities/one"), pems.join("\n"));
  writeFileSync(file("authorities/two"), pems[0] ?? "");
  writeFileSync(file("text"), "no PEM");
  writeFileSync(file("broken"), "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
});
afterAll(stopAll);

test.each([
  ["none", "a.key", /^Failed to load cert\/key pair: open .*none: no such file or directory$/],
  ["a.pem", "none", /open .*none: no such file or directory$/],
  [".", "a.key", /is a directory$/],
  ["text", "a.key", /: tls: failed to find any PEM data in certificate input$/],
  ["a.pem", "text", /: tls: failed to find any PEM data in key input$/],
  ["broken", "a.key", /: tls: failed to parse certificate$/],
  ["a.pem", "broken", /: tls: failed to parse private key$/],
  ["a.pem", "b.key", /: tls: private key does not match public key$/],
])("%s with %s is refused", (cert, key, text) => {
  expect(() => new TlsMaterial(files({ certFile: file(cert), keyFile: file(key) }))).toThrow(text);
});

test.each([
  [
    "none",
    "",
    false,
    "Error loading from FOLDER/none: open FOLDER/none: no such file or directory",
  ],
  [".", "", false, "Error loading from FOLDER/.: read FOLDER/.: is a directory"],
  ["", "empty", false, "Error loading from CAPath: no CAs found"],
  ["", "", true, "VerifyIncoming set but no CA certificates were provided"],
  ["text", "", true, "VerifyIncoming set but no CA certificates were provided"],
  ["a.pem", "", true, "VerifyIncoming requires either a Cert and Key pair"],
])("ca_file %j, ca_path %j, verify_incoming_https %j: refused", (ca, path, verifies, text) => {
  const given = files({ verifyIncomingHttps: verifies }, ca, path);
  expect(() => new TlsMaterial(given)).toThrow(text.replaceAll("FOLDER", folder));
});

test("verify_outgoing needs an authority, as Consul says it", () => {
  const said = "VerifyOutgoing set, and no CA certificate provided!";
  expect(() => new TlsMaterial(files({ verifyOutgoing: true }))).toThrow(said);
  expect(() => new TlsMaterial(files({ verifyOutgoing: true }, "a.pem"))).not.toThrow();
});

test("ca_path gives the certificates of all its files, and ca_file counts before it", () => {
  const all = new TlsMaterial(files({}, "", "authorities")).current.authorities;
  expect(all).toHaveLength(3);
  const one = new TlsMaterial(files({}, "a.pem", "authorities")).current.authorities;
  expect(one).toEqual([readFileSync(file("a.pem"), "utf8").trim()]);
});

test("others take their place, and whoever serves them is told; wrong ones change nothing", () => {
  const pair = (name: string) => ({ certFile: file(`${name}.pem`), keyFile: file(`${name}.key`) });
  const material = new TlsMaterial(files(pair("a")));
  const told: (string | undefined)[] = [];
  material.listen((state) => told.push(state.pair?.cert));
  const first = material.current.pair?.cert;
  const mixed = files({ ...pair("b"), keyFile: file("a.key") });
  expect(() => material.reload(mixed)).toThrow("not match");
  expect([material.current.pair?.cert, told]).toEqual([first, []]);
  material.reload(files(pair("b")));
  expect(material.current.pair?.cert).not.toBe(first);
  expect(told).toEqual([material.current.pair?.cert]);
});
