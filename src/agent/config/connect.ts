// What `connect` in the configuration means: whether there are certificates, and what their authority begins with.

import { isRecord } from "../../core/lib/record.ts";
import { caSettings } from "../../core/model/ca-configuration.ts";
import { ServiceError } from "../../core/model/errors.ts";
import type { JsonValue } from "../../core/model/json.ts";
import { uuidProblem } from "../../core/model/uuid.ts";
import { ConfigError } from "./errors.ts";
import type { ConfigValues } from "./keys.ts";

export interface ConnectConfig {
  readonly enabled: boolean;
  /** As `Config` of `/v1/connect/ca/configuration`: what the authority begins with. */
  readonly caConfig: Readonly<Record<string, JsonValue>>;
  /** A UUID that names the trust domain; "" to draw one. */
  readonly clusterId: string;
}

/** Files say in snake case what the API says in its own. */
const apiNames: Readonly<Record<string, string>> = {
  csr_max_concurrent: "CSRMaxConcurrent",
  csr_max_per_second: "CSRMaxPerSecond",
  intermediate_cert_ttl: "IntermediateCertTTL",
  leaf_cert_ttl: "LeafCertTTL",
  private_key: "PrivateKey",
  private_key_bits: "PrivateKeyBits",
  private_key_type: "PrivateKeyType",
  root_cert: "RootCert",
  rotation_period: "RotationPeriod",
};

/** Throws ConfigError. */
export function resolveConnect(values: ConfigValues): ConnectConfig {
  const given = values["connect.ca_config"];
  const { cluster_id: clusterId = "", ...config } = isRecord(given) ? given : {};
  if (typeof clusterId !== "string" || (clusterId !== "" && uuidProblem(clusterId) !== null)) {
    throw new ConfigError("connect CA config cluster_id was supplied but was not a valid UUID");
  }
  const caConfig = Object.fromEntries(
    Object.entries(config).map(([name, value]) => [apiNames[name] ?? name, value as JsonValue]),
  );
  try {
    caSettings(caConfig);
  } catch (failure) {
    if (!(failure instanceof ServiceError)) throw failure;
    throw new ConfigError(`connect.ca_config: ${failure.message}`);
  }
  // As in Consul: certificates of agents come from Connect's authority.
  const enabled =
    values["connect.enabled"] || values["auto_encrypt.tls"] || values["auto_encrypt.allow_tls"];
  return { enabled, caConfig, clusterId };
}

/** The authority's configuration for everybody's eyes. */
export function openCaConfig({ caConfig }: ConnectConfig): Record<string, JsonValue> {
  const names = Object.keys(caConfig).filter((name) => name.toLowerCase() === "privatekey");
  return { ...caConfig, ...Object.fromEntries(names.map((name) => [name, "hidden"])) };
}
