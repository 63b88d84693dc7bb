// The agent's certificate: which pair is usable, in Consul's words when it is none, and how another one takes over.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";

import { Certificate } from "../../src/agent/certificate.ts";
import { stopAll, temporaryDirectory } from "../support/proconsul.ts";
import { makeAuthority } from "../support/tls.ts";

let folder: string;
const file = (name: string): string => join(folder, name);

beforeAll(async () => {
  folder = temporaryDirectory();
  for (const name of ["a", "b"]) {
    const { server } = await makeAuthority();
    writeFileSync(file(`${name}.pem`), server.cert);
    writeFileSync(file(`${name}.key`), server.key);
  }
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
  const files = { certFile: file(cert), keyFile: file(key) };
  expect(() => new Certificate(files)).toThrow(text);
});

test("another pair takes its place, and whoever serves it is told; a wrong one changes nothing", () => {
  const pair = (name: string) => ({ certFile: file(`${name}.pem`), keyFile: file(`${name}.key`) });
  const certificate = new Certificate(pair("a"));
  const told: string[] = [];
  certificate.listen(({ cert }) => told.push(cert));
  const first = certificate.current.cert;
  expect(() => certificate.reload({ ...pair("b"), keyFile: file("a.key") })).toThrow("not match");
  expect([certificate.current.cert, told]).toEqual([first, []]);
  certificate.reload(pair("b"));
  expect(certificate.current.cert).not.toBe(first);
  expect(told).toEqual([certificate.current.cert]);
});
