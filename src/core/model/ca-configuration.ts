// The configuration of Connect's certificate authority: how Consul reads it (leniently: texts may stand for
// numbers, names match in any case, what it does not know it keeps), and what it holds to be too short or too long.

import { DurationError, formatDuration, parseDuration } from "./duration.ts";
import { ServiceError } from "./errors.ts";
import type { JsonValue } from "./json.ts";
import { flag, text } from "./schema.ts";
import type { StructType } from "./schema.ts";

/** What `PUT /v1/connect/ca/configuration` carries. */
export interface CaConfiguration {
  Provider: string;
  /** As the client wrote it, but for what is secret. */
  Config: Record<string, JsonValue> | null;
  ForceWithoutCrossSigning: boolean;
}

export const caConfigurationSchema = {
  kind: "struct",
  goName: "CAConfiguration",
  fields: {
    Provider: text,
    Config: { type: { kind: "map", value: { kind: "any" } } },
    ForceWithoutCrossSigning: flag,
  },
} as const satisfies StructType;

/** The only provider there is: keys are in the replicated state. */
export const consulProvider = "consul";

/** What the configuration means. */
export interface CaSettings {
  /** PEM; "" to generate one. */
  privateKey: string;
  /** PEM; "" to sign one with the key. */
  rootCert: string;
  leafTtlMs: number;
  /** Of what the primary signs for a secondary datacenter. */
  intermediateTtlMs: number;
  keyType: "ec" | "rsa";
  keyBits: number;
  /** 0: no such bound. */
  requestsPerSecondMax: number;
  /** 0: no such bound. */
  requestsAtOnceMax: number;
  /** A successor is not vouched for by this one. */
  crossSigns: boolean;
}

/** Stands for the private key wherever a configuration is shown; put back, it means the key that is there. */
export const hiddenKey = "hidden";

export const initialCaConfig = {
  IntermediateCertTTL: "8760h",
  LeafCertTTL: "72h",
  RotationPeriod: "2160h",
} as const;

const hourNs = 3_600e9;
const leafTtlNsMin = hourNs;
const leafTtlNsMax = 365 * 24 * hourNs;
const intermediateTtlNsMin = 3 * hourNs;

const defaults = {
  PrivateKey: "",
  RootCert: "",
  /** Read and kept, as by Consul; roots of this provider are replaced when somebody says so. */
  RotationPeriod: 2_160 * hourNs,
  LeafCertTTL: 72 * hourNs,
  IntermediateCertTTL: 8_760 * hourNs,
  PrivateKeyType: "ec",
  PrivateKeyBits: 256,
  CSRMaxPerSecond: 50,
  CSRMaxConcurrent: 0,
  SkipValidate: false,
  DisableCrossSigning: false,
};
type Decoded = typeof defaults;

/** Throws ServiceError `invalid`. */
export function caSettings(config: CaConfiguration["Config"]): CaSettings {
  const decoded = decodeConfig(config ?? {});
  const problem = problemOf(decoded);
  if (problem !== null) throw refused(problem);
  return {
    privateKey: decoded.PrivateKey,
    rootCert: decoded.RootCert,
    leafTtlMs: decoded.LeafCertTTL / 1e6,
    intermediateTtlMs: decoded.IntermediateCertTTL / 1e6,
    keyType: decoded.PrivateKeyType === "rsa" ? "rsa" : "ec",
    keyBits: decoded.PrivateKeyBits,
    requestsPerSecondMax: Math.max(0, decoded.CSRMaxPerSecond),
    requestsAtOnceMax: Math.max(0, decoded.CSRMaxConcurrent),
    crossSigns: !decoded.DisableCrossSigning,
  };
}

function refused(problem: string): ServiceError {
  return new ServiceError("invalid", `error configuring provider: ${problem}`);
}

function problemOf(config: Decoded): string | null {
  if (config.PrivateKey === "" && config.RootCert !== "") {
    return "must provide a private key when providing a root cert";
  }
  if (config.SkipValidate) return null;
  const { LeafCertTTL: leaf, IntermediateCertTTL: intermediate, PrivateKeyBits: bits } = config;
  if (leaf < leafTtlNsMin) {
    return `leaf cert TTL must be greater or equal than ${formatDuration(leafTtlNsMin)}`;
  }
  if (leaf > leafTtlNsMax) return `leaf cert TTL must be less than ${formatDuration(leafTtlNsMax)}`;
  if (intermediate < intermediateTtlNsMin) {
    return "Intermediate Cert TTL must be greater or equal than 3h";
  }
  if (intermediate < 3 * leaf) {
    const least = formatDuration(3 * leaf);
    return `Intermediate Cert TTL must be greater or equal than 3 * LeafCertTTL (>=${least}).`;
  }
  if (config.PrivateKeyType === "ec") {
    const isKnown = [224, 256, 384, 521].includes(bits);
    return isKnown ? null : "EC key length must be one of (224, 256, 384, 521) bits";
  }
  if (config.PrivateKeyType !== "rsa") return "private key type must be either 'ec' or 'rsa'";
  return bits === 2_048 || bits === 4_096 ? null : "RSA key length must be 2048 or 4096 bits";
}

type Kind = "string" | "int" | "float32" | "bool" | "time.Duration";

const kinds: Record<keyof Decoded, Kind> = {
  PrivateKey: "string",
  RootCert: "string",
  RotationPeriod: "time.Duration",
  LeafCertTTL: "time.Duration",
  IntermediateCertTTL: "time.Duration",
  PrivateKeyType: "string",
  PrivateKeyBits: "int",
  CSRMaxPerSecond: "float32",
  CSRMaxConcurrent: "int",
  SkipValidate: "bool",
  DisableCrossSigning: "bool",
};

function decodeConfig(config: Readonly<Record<string, JsonValue>>): Decoded {
  const decoded: Record<string, unknown> = { ...defaults };
  const problems: string[] = [];
  for (const [name, kind] of Object.entries(kinds)) {
    const given = memberOf(config, name);
    if (given === null) continue;
    const value = decodeMember(kind, given);
    if (typeof value === "object") problems.push(value.problem.replace("%s", name));
    else decoded[name] = value;
  }
  if (problems.length === 0) return decoded as Decoded;
  const list = problems.toSorted().map((problem) => `* ${problem}`);
  throw refused(`error decoding config: ${list.length} error(s) decoding:\n\n${list.join("\n")}`);
}

const rootMembers: ReadonlySet<string> = new Set(["privatekey", "rootcert"]);

/** For a secondary datacenter, whose root and its key are the primary's. */
export function withoutRoot(
  config: Readonly<Record<string, JsonValue>>,
): Record<string, JsonValue> {
  const entries = Object.entries(config);
  return Object.fromEntries(entries.filter(([name]) => !rootMembers.has(name.toLowerCase())));
}

/** By its exact name, else in any case; null when it is not there. */
export function memberOf(config: Readonly<Record<string, JsonValue>>, name: string): JsonValue {
  if (Object.hasOwn(config, name)) return config[name] ?? null;
  const folded = name.toLowerCase();
  const found = Object.keys(config).find((key) => key.toLowerCase() === folded);
  return found === undefined ? null : (config[found] ?? null);
}

type Member = string | number | boolean | { problem: string };

function decodeMember(kind: Kind, given: JsonValue): Member {
  if (typeof given === "object") {
    const goType = Array.isArray(given) ? "[]interface {}" : "map[string]interface {}";
    return { problem: `'%s' expected type '${kind}', got unconvertible type '${goType}'` };
  }
  switch (kind) {
    case "string":
      return typeof given === "boolean" ? (given ? "1" : "0") : String(given);
    case "bool":
      return decodeFlag(given);
    case "time.Duration":
      return typeof given === "string" ? decodeDuration(given) : Math.trunc(Number(given));
    case "int":
      if (typeof given !== "string") return Math.trunc(Number(given));
      return /^[-+]?\d+$/.test(given) ? Number(given) : unparsable("int", "ParseInt", given);
    case "float32":
      if (typeof given !== "string") return Number(given);
      return Number.isFinite(Number(given)) && given.trim() !== ""
        ? Number(given)
        : unparsable("float", "ParseFloat", given);
  }
  return kind satisfies never;
}

function decodeFlag(given: string | number | boolean): Member {
  if (typeof given !== "string") return given === true || Number(given) !== 0;
  const folded = given.toLowerCase();
  if (["1", "t", "true"].includes(folded)) return true;
  if (["", "0", "f", "false"].includes(folded)) return false;
  return unparsable("bool", "ParseBool", given);
}

function decodeDuration(given: string): Member {
  try {
    return parseDuration(given);
  } catch (error) {
    if (!(error instanceof DurationError)) throw error;
    return { problem: `error decoding '%s': ${error.message}` };
  }
}

function unparsable(as: string, by: string, given: string): { problem: string } {
  const quoted = JSON.stringify(given);
  return {
    problem: `cannot parse '%s' as ${as}: strconv.${by}: parsing ${quoted}: invalid syntax`,
  };
}
