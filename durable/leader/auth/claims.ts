// The claims of a verified token: whether they hold here and now, and who they say somebody is.

import type { JwtConfig } from "../../../src/core/model/auth/config.ts";
import type { Identity } from "../../../src/core/model/auth/identity.ts";
import { ServiceError } from "../../../src/core/model/errors.ts";
import { limits } from "../../../src/core/model/limits.ts";
import {
  DecodeError,
  parseRawJson,
  RawNumber,
  RawObject,
} from "../../../src/core/model/raw-json.ts";
import type { RawJson } from "../../../src/core/model/raw-json.ts";
import { duplicateIn, kindOf } from "./jws.ts";

/** What the standard says of a token; times in seconds since 1970, 0 where there is none. */
export interface Claims {
  issuer: string;
  audience: readonly string[];
  issuedAt: number;
  notBefore: number;
  expires: number;
  all: RawObject;
}

export class ClaimsFault extends Error {
  override name = "ClaimsFault";
}

const noClaims = new RawObject([]);

/** Throws {@link ClaimsFault}. `strict`: nothing may be said twice; else what is said last counts. */
export function readClaims(payload: string, { strict }: { strict: boolean }): Claims {
  let raw: RawJson;
  try {
    raw = parseRawJson(payload);
  } catch (failure) {
    if (failure instanceof DecodeError) throw new ClaimsFault(failure.message);
    throw failure;
  }
  const all = raw === null ? noClaims : raw;
  if (!(all instanceof RawObject)) throw unmarshalled(all, "map[string]interface {}");
  const duplicate = strict ? duplicateIn(all) : null;
  if (duplicate !== null) throw new ClaimsFault(`json: duplicate key '${duplicate}' in object`);
  const members = new Map(all.members);
  for (const name of ["sub", "jti"]) textClaim(members, name);
  return {
    issuer: textClaim(members, "iss"),
    audience: audienceClaim(members),
    issuedAt: timeClaim(members, "iat"),
    notBefore: timeClaim(members, "nbf"),
    expires: timeClaim(members, "exp"),
    all,
  };
}

function textClaim(members: ReadonlyMap<string, RawJson>, name: string): string {
  const value = members.get(name) ?? "";
  if (typeof value === "string") return value;
  throw unmarshalled(value, "string");
}

function audienceClaim(members: ReadonlyMap<string, RawJson>): readonly string[] {
  const value = members.get("aud") ?? [];
  if (typeof value === "string") return [value];
  if (!Array.isArray(value)) throw unmarshalled(value, "[]string");
  const items = value as readonly RawJson[];
  const wrong = items.find((item) => typeof item !== "string");
  if (wrong !== undefined) throw unmarshalled(wrong, "string");
  return items as readonly string[];
}

function timeClaim(members: ReadonlyMap<string, RawJson>, name: string): number {
  const value = members.get(name) ?? null;
  if (value === null) return 0;
  if (value instanceof RawNumber && Number.isFinite(Number(value.text))) {
    return Math.trunc(Number(value.text));
  }
  throw new ClaimsFault("square/go-jose/jwt: expected number value to unmarshal NumericDate");
}

function unmarshalled(value: RawJson, type: string): ClaimsFault {
  return new ClaimsFault(`json: cannot unmarshal ${kindOf(value)} into Go value of type ${type}`);
}

const failed = "square/go-jose/jwt: validation failed,";
const defaultLeewayS = 150;
const defaultSkewS = 60;

/** Issuer and times. Throws ServiceError. */
export function checkClaims(claims: Claims, config: JwtConfig, nowMs: number): void {
  const { issuedAt } = claims;
  if (issuedAt === 0 && claims.notBefore === 0 && claims.expires === 0) {
    refuse("no issue time, notbefore, or expiration time encoded in token");
  }
  const { notBefore, expires } = lifetime(claims, config);
  const skewS = leewayS(config.ClockSkewLeeway, defaultSkewS);
  const nowS = nowMs / 1_000;
  if (config.BoundIssuer !== "" && claims.issuer !== config.BoundIssuer) {
    invalid(`${failed} invalid issuer claim (iss)`);
  }
  if (nowS + skewS < notBefore) invalid(`${failed} token not valid yet (nbf)`);
  if (nowS - skewS > expires) invalid(`${failed} token is expired (exp)`);
  if (nowS + skewS < issuedAt) {
    invalid("square/go-jose/jwt: validation field, token issued in the future (iat)");
  }
}

/** What a token does not say of its times follows from what it says. */
function lifetime(
  { issuedAt, notBefore, expires }: Claims,
  config: JwtConfig,
): { notBefore: number; expires: number } {
  const latestStart = Math.max(issuedAt, notBefore);
  const end =
    expires === 0 ? latestStart + leewayS(config.ExpirationLeeway, defaultLeewayS) : expires;
  if (notBefore !== 0) return { notBefore, expires: end };
  const start = issuedAt === 0 ? end - leewayS(config.NotBeforeLeeway, defaultLeewayS) : issuedAt;
  return { notBefore: start, expires: end };
}

/** A configured leeway in seconds: in ns as it is kept; 0 is the default and less is none. */
function leewayS(ns: number, byDefault: number): number {
  if (ns === 0) return byDefault;
  return Math.max(0, ns / 1e9);
}

/** `strict`: a token for somebody is refused where nobody is named. Throws ServiceError. */
export function checkAudience(
  { audience }: Claims,
  bound: readonly string[] | null,
  { strict }: { strict: boolean },
): void {
  const wanted = bound ?? [];
  if (wanted.length === 0) {
    if (!strict || audience.length === 0) return;
    invalid("audience claim found in JWT but no audiences are bound");
  }
  if (audience.some((each) => wanted.includes(each))) return;
  invalid("aud claim does not match any bound audience");
}

/** Who the claims say it is. Throws ServiceError for claims that cannot be mapped. */
export function identityOf({ all }: Claims, config: JwtConfig): Identity {
  const value: [string, string][] = [];
  for (const [claim, name] of Object.entries(config.ClaimMappings ?? {})) {
    const found = claimAt(all, claim);
    if (found !== undefined && found !== null) value.push([name, claimText(claim, found)]);
  }
  const list: [string, string[]][] = [];
  for (const [claim, name] of Object.entries(config.ListClaimMappings ?? {})) {
    const found = claimAt(all, claim);
    if (found !== undefined && found !== null) list.push([name, claimTexts(claim, found)]);
  }
  const names = Object.values(config.ClaimMappings ?? {});
  return {
    fields: { value: Object.fromEntries(value), list: Object.fromEntries(list) },
    variables: new Map([
      ...names.map((name): [string, string] => [`value.${name}`, ""]),
      ...value.map(([name, text]): [string, string] => [`value.${name}`, text]),
    ]),
  };
}

/** By its name, or by a JSON pointer. */
function claimAt(all: RawObject, claim: string): RawJson | undefined {
  if (!claim.startsWith("/")) return memberOf(all, claim);
  let at: RawJson | undefined = all;
  for (const part of claim.slice(1).split("/")) {
    at = memberOf(at, part.replaceAll("~1", "/").replaceAll("~0", "~"));
    if (at === undefined) return undefined;
  }
  return at;
}

function memberOf(of: RawJson, name: string): RawJson | undefined {
  if (of instanceof RawObject) return of.members.findLast(([each]) => each === name)?.[1];
  if (!Array.isArray(of) || !/^\d{1,9}$/.test(name)) return undefined;
  return (of as readonly RawJson[])[Number(name)];
}

function claimText(claim: string, value: RawJson): string {
  const text = scalarText(value);
  if (text !== null) return text;
  const type = Array.isArray(value) ? "[]interface {}" : "map[string]interface {}";
  return refuse(`error converting claim '${claim}' to string from unknown type ${type}`);
}

/** One thing stands for a list of it. */
function claimTexts(claim: string, value: RawJson): string[] {
  if (!Array.isArray(value)) {
    const text = scalarText(value);
    return text === null
      ? refuse(`"${claim}" list claim could not be converted to string list`)
      : [text];
  }
  return (value as readonly RawJson[]).map((item) => {
    const text = scalarText(item);
    if (text !== null) return text;
    return refuse(`value ${formatGo(item)} in "${claim}" list claim could not be parsed as string`);
  });
}

/** Numbers become whole ones of 64 bits, as Consul makes them. */
function scalarText(value: RawJson): string | null {
  if (typeof value === "string") return value;
  if (typeof value === "boolean") return String(value);
  if (!(value instanceof RawNumber)) return null;
  const number = Math.trunc(Number(value.text));
  const fits = number >= -(2 ** 63) && number < 2 ** 63;
  return String(fits ? BigInt(number) : -(2n ** 63n));
}

/** Go's `%v`, no longer than anybody needs. */
function formatGo(value: RawJson): string {
  return formatPart(value).slice(0, limits.claimShownLengthMax);
}

function formatPart(value: RawJson): string {
  if (value === null) return "<nil>";
  if (value instanceof RawNumber) return value.text;
  if (value instanceof RawObject) {
    const members = value.members.map(([name, member]) => `${name}:${formatPart(member)}`);
    return `map[${members.toSorted().join(" ")}]`;
  }
  if (Array.isArray(value)) {
    return `[${(value as readonly RawJson[]).map(formatPart).join(" ")}]`;
  }
  return typeof value === "string" ? value : JSON.stringify(value);
}

function invalid(problem: string): never {
  return refuse(`error validating claims: ${problem}`);
}

function refuse(message: string): never {
  throw new ServiceError("invalid", message);
}
