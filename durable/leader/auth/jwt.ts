// Auth methods of type `jwt`: tokens that an issuer has signed, whose keys the method holds or knows where to find.

import {
  checkJwtConfig,
  type JwtConfig,
  readJwtConfig,
  refuseMethod,
} from "../../../src/core/model/auth/config.ts";
import type { Identity } from "../../../src/core/model/auth/identity.ts";
import { ServiceError } from "../../../src/core/model/errors.ts";
import type { JsonObject } from "../../../src/core/model/json.ts";
import type { Outside } from "../../platform/platform.ts";
import { checkAudience, checkClaims, type Claims, ClaimsFault } from "./claims.ts";
import { identityOf, readClaims } from "./claims.ts";
import { Issuers } from "./issuers.ts";
import { type Jws, JwsFault, parseJws } from "./jws.ts";
import { OutsideFault } from "./outside.ts";
import { isCertificate, isSignedBy, publicKeyOf, signatureAlgorithms } from "./public-keys.ts";

const discoveryAlgorithm = "RS256";
/** As the library of Consul has it, whatever the method says. */
const discoveryNotBeforeLeewayS = 60;

export class JwtMethods {
  readonly #outside: Outside;
  readonly #nowMs: () => number;
  readonly #issuers: Issuers;

  constructor(outside: Outside, nowMs: () => number) {
    this.#outside = outside;
    this.#nowMs = nowMs;
    this.#issuers = new Issuers(outside, nowMs);
  }

  /** Rejects with ServiceError for a configuration that no login could use. */
  async check(given: JsonObject | null): Promise<void> {
    const config = readJwtConfig(given);
    if (config.OIDCDiscoveryURL !== "") await this.#checkDiscovery(config);
    else if (config.JWKSURL !== "") await this.#checkJwks(config);
    else await checkKeys(config.JWTValidationPubKeys ?? []);
    checkJwtConfig(config);
  }

  async #checkDiscovery({ OIDCDiscoveryURL: url, OIDCDiscoveryCACert: ca }: JwtConfig) {
    await this.#checkCa("OIDCDiscoveryCACert", ca);
    await refusing("error checking OIDCDiscoveryURL: ", () =>
      this.#issuers.discover({ url, ca }, { anew: true }),
    );
  }

  async #checkJwks({ JWKSURL: url, JWKSCACert: ca }: JwtConfig): Promise<void> {
    await this.#checkCa("JWKSCACert", ca);
    await refusing("error checking JWKSURL: ", () => this.#issuers.askForKeys({ url, ca }));
  }

  async #checkCa(name: string, ca: string): Promise<void> {
    if (ca === "") return;
    if (!(await isCertificate(ca))) {
      refuseMethod(`error checking ${name}: could not parse CA PEM value successfully`);
    }
    if (this.#outside.trustsGiven) return;
    refuseMethod(
      `${name} cannot be used where these servers run: only the platform's authorities are trusted`,
    );
  }

  /** Who shows this token. Rejects with ServiceError unless it is to be believed. */
  async identify(given: JsonObject | null, bearer: string): Promise<Identity> {
    const config = readJwtConfig(given);
    if (bearer === "") throw refused("missing jwt");
    if (config.OIDCDiscoveryURL !== "") return await this.#byDiscovery(config, bearer);
    const claims =
      config.JWKSURL === "" ? await byKeys(config, bearer) : await this.#byJwks(config, bearer);
    checkClaims(claims, config, this.#nowMs());
    checkAudience(claims, config.BoundAudiences, { strict: true });
    return identityOf(claims, config);
  }

  async #byJwks(config: JwtConfig, bearer: string): Promise<Claims> {
    const prefix = "error verifying token: ";
    const jws = parsed(bearer, `${prefix}oidc: malformed jwt: `);
    const at = { url: config.JWKSURL, ca: config.JWKSCACert };
    const isSigned = await shown(prefix, () =>
      this.#issuers.haveSigned(jws, at, algorithmsOf(config)),
    );
    if (!isSigned) throw refused(`${prefix}failed to verify id token signature`);
    return claimsOf(jws, "failed to unmarshal claims: ", true);
  }

  /** Issuer and times are held against what was discovered, before anybody is asked for keys. */
  async #byDiscovery(config: JwtConfig, bearer: string): Promise<Identity> {
    const prefix = "error validating signature: ";
    const { OIDCDiscoveryURL: url, OIDCDiscoveryCACert: ca } = config;
    const jws = parsed(bearer, `${prefix}oidc: malformed jwt: `);
    const claims = claimsOf(jws, `${prefix}oidc: failed to unmarshal claims: `, false);
    if (claims.issuer !== url) {
      const expected = `expected ${JSON.stringify(url)} got ${JSON.stringify(claims.issuer)}`;
      throw refused(`${prefix}oidc: id token issued by a different provider, ${expected}`);
    }
    this.#checkTimes(claims, prefix);
    const given = config.JWTSupportedAlgs ?? [];
    const algorithms = given.length > 0 ? given : [discoveryAlgorithm];
    if (!algorithms.includes(jws.algorithm)) {
      const names = algorithms.map((name) => JSON.stringify(name)).join(" ");
      const expected = `expected [${names}] got ${JSON.stringify(jws.algorithm)}`;
      throw refused(`${prefix}oidc: id token signed with unsupported algorithm, ${expected}`);
    }
    const { jwksUrl } = await shown(prefix, () => this.#issuers.discover({ url, ca }));
    const failed = `${prefix}failed to verify signature: `;
    const at = { url: jwksUrl, ca };
    const isSigned = await shown(failed, () => this.#issuers.haveSigned(jws, at, algorithms));
    if (!isSigned) throw refused(`${failed}failed to verify id token signature`);
    checkAudience(claims, config.BoundAudiences, { strict: false });
    return identityOf(claims, config);
  }

  #checkTimes({ expires, notBefore }: Claims, prefix: string): void {
    const nowS = this.#nowMs() / 1_000;
    if (expires < nowS) {
      const at = expires === 0 ? "0001-01-01 00:00:00 +0000 UTC" : goUtc(expires);
      throw refused(`${prefix}oidc: token is expired (Token Expiry: ${at})`);
    }
    if (notBefore === 0 || nowS + discoveryNotBeforeLeewayS >= notBefore) return;
    const start = goUtc(notBefore);
    const times = `current time ${goUtc(nowS)} before the nbf (not before) time: ${start}`;
    throw refused(`${prefix}oidc: ${times}`);
  }
}

async function checkKeys(keys: readonly string[]): Promise<void> {
  const kinds = "RSA, ECDSA, or ED25519 public keys";
  for (const [at, pem] of keys.entries()) {
    if ((await publicKeyOf(pem)) !== null) continue;
    const place = `error parsing public key JWTValidationPubKeys[${at}]`;
    refuseMethod(`${place}: data does not contain any valid ${kinds}`);
  }
}

/** By keys that the method itself holds. */
async function byKeys(config: JwtConfig, bearer: string): Promise<Claims> {
  const jws = parsed(bearer, "error parsing token: ");
  const given = await Promise.all((config.JWTValidationPubKeys ?? []).map(publicKeyOf));
  const keys = given.filter((key) => key !== null);
  const unknown = "no known key successfully validated the token signature";
  if (!(await isSignedBy(jws, keys, algorithmsOf(config)))) throw refused(unknown);
  try {
    return readClaims(jws.payload, { strict: true });
  } catch (failure) {
    if (failure instanceof ClaimsFault) throw refused(unknown);
    throw failure;
  }
}

/** Consul holds a token of such a method against any; what is asked for here is kept to. */
function algorithmsOf({ JWTSupportedAlgs: given }: JwtConfig): readonly string[] {
  return given && given.length > 0 ? given : signatureAlgorithms;
}

function parsed(bearer: string, prefix: string): Jws {
  try {
    return parseJws(bearer);
  } catch (failure) {
    if (failure instanceof JwsFault) throw refused(prefix + failure.message);
    throw failure;
  }
}

function claimsOf({ payload }: Jws, prefix: string, strict: boolean): Claims {
  try {
    return readClaims(payload, { strict });
  } catch (failure) {
    if (failure instanceof ClaimsFault) throw refused(prefix + failure.message);
    throw failure;
  }
}

async function shown<Value>(prefix: string, work: () => Promise<Value>): Promise<Value> {
  try {
    return await work();
  } catch (failure) {
    if (failure instanceof OutsideFault) throw refused(prefix + failure.message);
    throw failure;
  }
}

async function refusing(prefix: string, work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (failure) {
    if (failure instanceof OutsideFault) refuseMethod(prefix + failure.message);
    throw failure;
  }
}

/** The last time that JavaScript knows. */
const timeMaxS = 8.64e12;

/** As Go prints a time. */
function goUtc(given: number): string {
  const seconds = Math.max(-timeMaxS, Math.min(given, timeMaxS));
  const [date = "", time = ""] = new Date(seconds * 1_000).toISOString().split("T");
  return `${date} ${time.replace(/\.?0*Z$/, "")} +0000 UTC`;
}

function refused(message: string): ServiceError {
  return new ServiceError("invalid", message);
}
