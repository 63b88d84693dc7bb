// What `Config` of an auth method may say, by type, and what of it can be judged without asking anybody.

import { encodeJson, type JsonObject } from "../json.ts";
import { decodeWeakly, decodingErrors } from "../config-entry/weak-decode.ts";
import { ServiceError } from "../errors.ts";
import { parseRawJson } from "../raw-json.ts";
import type { RawObject } from "../raw-json.ts";
import { integer, stringList, stringMap, text } from "../schema.ts";
import type { StructType } from "../schema.ts";

/** In Consul's order. */
export const authMethodTypes = ["jwt", "kubernetes"] as const;
export type AuthMethodType = (typeof authMethodTypes)[number];

export interface JwtConfig {
  /** PEM. */
  JWTValidationPubKeys: string[] | null;
  JWKSURL: string;
  /** PEM; "" for the platform's own. */
  JWKSCACert: string;
  OIDCDiscoveryURL: string;
  OIDCDiscoveryCACert: string;
  BoundIssuer: string;
  BoundAudiences: string[] | null;
  JWTSupportedAlgs: string[] | null;
  /** In ns, as Consul reads them: 0 is its default, less is none. */
  ExpirationLeeway: number;
  NotBeforeLeeway: number;
  ClockSkewLeeway: number;
  /** Claim, or JSON pointer to one → name under `value`. */
  ClaimMappings: Record<string, string> | null;
  /** The same → name under `list`. */
  ListClaimMappings: Record<string, string> | null;
}

export interface KubernetesConfig {
  Host: string;
  /** PEM. */
  CACert: string;
  /** Shown to the API server by whoever reviews tokens. */
  ServiceAccountJWT: string;
}

const jwtSchema: StructType = {
  kind: "struct",
  goName: "jwtauth.Config",
  fields: {
    JWTSupportedAlgs: { type: stringList },
    BoundAudiences: { type: stringList },
    ClaimMappings: { type: stringMap },
    ListClaimMappings: { type: stringMap },
    OIDCDiscoveryURL: text,
    OIDCDiscoveryCACert: text,
    JWKSURL: text,
    JWKSCACert: text,
    JWTValidationPubKeys: { type: stringList },
    BoundIssuer: text,
    ExpirationLeeway: integer,
    NotBeforeLeeway: integer,
    ClockSkewLeeway: integer,
  },
};

const kubernetesSchema: StructType = {
  kind: "struct",
  goName: "kubeauth.Config",
  fields: { Host: text, CACert: text, ServiceAccountJWT: text },
};

/** Where keys come from. Throws ServiceError unless there is exactly one place. */
export function readJwtConfig(config: JsonObject | null): JwtConfig {
  const read = decoded<JwtConfig>(jwtSchema, config);
  const { JWTValidationPubKeys: keys, JWKSURL: jwks, OIDCDiscoveryURL: oidc } = read;
  const places = [(keys ?? []).length > 0, jwks !== "", oidc !== ""].filter(Boolean);
  if (places.length !== 1) {
    const names = "'JWTValidationPubKeys', 'JWKSURL', or 'OIDCDiscoveryURL'";
    refuseMethod(`exactly one of ${names} must be set for type "jwt"`);
  }
  if (oidc === "" && read.OIDCDiscoveryCACert !== "") {
    refuseMethod("'OIDCDiscoveryCACert' should not be set unless 'OIDCDiscoveryURL' is set");
  }
  if (jwks === "" && read.JWKSCACert !== "") {
    refuseMethod("'JWKSCACert' should not be set unless 'JWKSURL' is set");
  }
  return read;
}

const supported: ReadonlySet<string> = new Set(
  ["RS", "ES", "PS"].flatMap((kind) => ["256", "384", "512"].map((bits) => kind + bits)),
);

/** What Consul looks at after the keys. Throws ServiceError. */
export function checkJwtConfig(config: JwtConfig): void {
  const unsupported = (config.JWTSupportedAlgs ?? []).find((name) => !supported.has(name));
  if (unsupported !== undefined) refuseMethod(`Invalid supported algorithm: ${unsupported}`);
  checkMappings("ClaimMappings", config.ClaimMappings);
  checkMappings("ListClaimMappings", config.ListClaimMappings);
}

function checkMappings(name: string, mappings: Record<string, string> | null): void {
  const seen = new Set<string>();
  for (const key of Object.values(mappings ?? {})) {
    if (seen.has(key)) refuseMethod(`${name} contains multiple mappings for key "${key}"`);
    seen.add(key);
  }
}

/** Throws ServiceError for what is missing. */
export function readKubernetesConfig(config: JsonObject | null): KubernetesConfig {
  const read = decoded<KubernetesConfig>(kubernetesSchema, config);
  if (read.Host === "") refuseMethod("Config.Host is required");
  if (read.CACert === "") refuseMethod("Config.CACert is required");
  return read;
}

function decoded<Config>(schema: StructType, config: JsonObject | null): Config {
  const raw = parseRawJson(encodeJson(config ?? {})) as RawObject;
  const { value, errors, unused } = decodeWeakly(schema, raw, { unwraps: false });
  const all =
    unused.length === 0
      ? errors
      : [`'' has invalid keys: ${unused.toSorted().join(", ")}`, ...errors];
  if (all.length > 0) refuseMethod(`error decoding config: ${decodingErrors(all)}`);
  return value as unknown as Config;
}

export function refuseMethod(problem: string): never {
  throw new ServiceError("invalid", `Invalid Auth Method: ${problem}`);
}
