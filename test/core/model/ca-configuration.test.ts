// How Consul 1.8.7 reads the configuration of its certificate authority; every text is one of its answers.

import { expect, test } from "vitest";
import { caSettings } from "../../../src/core/model/ca-configuration.ts";
import type { JsonValue } from "../../../src/core/model/json.ts";

const configuring = "error configuring provider: ";
const decoding = (...problems: string[]): string =>
  `error decoding config: ${problems.length} error(s) decoding:\n\n` +
  problems.map((problem) => `* ${problem}`).join("\n");

const refusals: [config: Record<string, JsonValue>, problem: string][] = [
  [
    { LeafCertTTL: "1m", IntermediateCertTTL: "1h" },
    "leaf cert TTL must be greater or equal than 1h0m0s",
  ],
  [{ LeafCertTTL: 500 }, "leaf cert TTL must be greater or equal than 1h0m0s"],
  [{ LeafCertTTL: true }, "leaf cert TTL must be greater or equal than 1h0m0s"],
  [{ leafcertttl: "1m" }, "leaf cert TTL must be greater or equal than 1h0m0s"],
  [{ LeafCertTTL: "9000h" }, "leaf cert TTL must be less than 8760h0m0s"],
  [
    { IntermediateCertTTL: "1h", PrivateKeyType: "x" },
    "Intermediate Cert TTL must be greater or equal than 3h",
  ],
  [
    { LeafCertTTL: "72h", IntermediateCertTTL: "100h" },
    "Intermediate Cert TTL must be greater or equal than 3 * LeafCertTTL (>=216h0m0s).",
  ],
  [{ PrivateKeyType: "dsa" }, "private key type must be either 'ec' or 'rsa'"],
  [{ PrivateKeyType: "" }, "private key type must be either 'ec' or 'rsa'"],
  [{ PrivateKeyType: "rsa" }, "RSA key length must be 2048 or 4096 bits"],
  [{ PrivateKeyBits: 333 }, "EC key length must be one of (224, 256, 384, 521) bits"],
  [{ PrivateKeyBits: true }, "EC key length must be one of (224, 256, 384, 521) bits"],
  [{ RootCert: "x", LeafCertTTL: "1m" }, "must provide a private key when providing a root cert"],
  [
    { PrivateKeyBits: "zz", LeafCertTTL: "x", RotationPeriod: "y" },
    decoding(
      `cannot parse 'PrivateKeyBits' as int: strconv.ParseInt: parsing "zz": invalid syntax`,
      `error decoding 'LeafCertTTL': time: invalid duration "x"`,
      `error decoding 'RotationPeriod': time: invalid duration "y"`,
    ),
  ],
  [
    { PrivateKey: ["a"] },
    decoding("'PrivateKey' expected type 'string', got unconvertible type '[]interface {}'"),
  ],
  [
    { PrivateKey: {} },
    decoding(
      "'PrivateKey' expected type 'string', got unconvertible type 'map[string]interface {}'",
    ),
  ],
  [
    { CSRMaxPerSecond: "x" },
    decoding(
      `cannot parse 'CSRMaxPerSecond' as float: strconv.ParseFloat: parsing "x": invalid syntax`,
    ),
  ],
];

test.each(refusals)("%j is refused", (config, problem) => {
  expect(() => caSettings(config)).toThrow(configuring + problem);
});

const accepted: [config: Record<string, JsonValue> | null, settings: object][] = [
  [null, { leafTtlMs: 259_200_000, keyType: "ec", keyBits: 256, requestsPerSecondMax: 50 }],
  [
    { PrivateKeyBits: "384", LeafCertTTL: null },
    { keyBits: 384, leafTtlMs: 259_200_000 },
  ],
  [{ PrivateKeyBits: 384.5 }, { keyBits: 384 }],
  [
    { CSRMaxPerSecond: "5", CSRMaxConcurrent: 2 },
    { requestsPerSecondMax: 5, requestsAtOnceMax: 2 },
  ],
  [{ CSRMaxPerSecond: -1 }, { requestsPerSecondMax: 0 }],
  [{ SkipValidate: true, LeafCertTTL: "1m" }, { leafTtlMs: 60_000 }],
  [{ leaf_cert_ttl: "1m", Foo: 1 }, { leafTtlMs: 259_200_000 }],
  [{ DisableCrossSigning: true }, { crossSigns: false }],
];

test.each(accepted)("%j means something", (config, settings) => {
  expect(caSettings(config)).toMatchObject(settings);
});
