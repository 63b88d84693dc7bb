// Keys of issuers, from where a method says they are published. They are kept for a while, in bounds; a token that none
// of them has signed makes them be asked for anew, but not more often than an issuer can bear.

import { BoundedMap } from "../../../src/core/lib/bounded-map.ts";
import { limits } from "../../../src/core/model/limits.ts";
import { DecodeError, parseRawJson } from "../../../src/core/model/raw-json.ts";
import type { Outside, OutsideAnswer } from "../../platform/platform.ts";
import type { Jws } from "./jws.ts";
import { get, OutsideFault, type Question, statusText } from "./outside.ts";
import { isSignedBy, type PublicKey, publicKeysOf } from "./public-keys.ts";

interface KeptKeys {
  keys: PublicKey[];
  askedMs: number;
}

export interface Discovery {
  issuer: string;
  jwksUrl: string;
}

/** Of what an answer says, in a text about it. */
const shownMax = 512;

export class Issuers {
  readonly #outside: Outside;
  readonly #nowMs: () => number;
  readonly #keys = new BoundedMap<KeptKeys>(limits.issuerKeysBytesMax);
  readonly #discovered = new BoundedMap<Discovery & { askedMs: number }>(limits.issuerKeysBytesMax);

  constructor(outside: Outside, nowMs: () => number) {
    this.#outside = outside;
    this.#nowMs = nowMs;
  }

  /** Whether a key that is published there has signed the token. Rejects with {@link OutsideFault}. */
  async haveSigned(jws: Jws, at: Question, algorithms: readonly string[]): Promise<boolean> {
    // Before anybody is asked for anything.
    if (jws.isCritical || !algorithms.includes(jws.algorithm)) return false;
    const kept = this.#keys.get(nameOf(at));
    const ageMs = kept ? this.#nowMs() - kept.askedMs : Number.POSITIVE_INFINITY;
    if (kept && ageMs < limits.issuerKeysMsMax) {
      if (await isSignedBy(jws, matching(kept.keys, jws), algorithms)) return true;
      if (ageMs < limits.issuerKeysMsMin) return false;
    }
    const keys = await this.askForKeys(at);
    return await isSignedBy(jws, matching(keys, jws), algorithms);
  }

  /** Rejects with {@link OutsideFault}. */
  async askForKeys(at: Question): Promise<PublicKey[]> {
    const failed = "fetching keys oidc: get keys failed";
    const answer = await asked(`${failed} `, () => get(this.#outside, at));
    const { status, body } = answer;
    if (status !== 200) {
      throw new OutsideFault(`${failed}: ${statusText(status)} ${body.slice(0, shownMax)}`);
    }
    const set = parsed(answer, "fetching keys oidc: failed to decode keys: ", true);
    const keys = publicKeysOf(set, limits.issuerKeysMax);
    this.#keys.set(nameOf(at), { keys, askedMs: this.#nowMs() }, body.length);
    return keys;
  }

  /** Where an issuer publishes its keys, as it says itself. Rejects with {@link OutsideFault}. */
  async discover(issuer: Question, { anew = false } = {}): Promise<Discovery> {
    const name = nameOf(issuer);
    const kept = this.#discovered.get(name);
    if (kept && !anew && this.#nowMs() - kept.askedMs < limits.issuerKeysMsMax) return kept;
    const url = `${issuer.url.replace(/\/$/, "")}/.well-known/openid-configuration`;
    const answer = await asked("", () => get(this.#outside, { ...issuer, url }));
    const { status, body } = answer;
    if (status !== 200) throw new OutsideFault(`${statusText(status)}: ${body.slice(0, shownMax)}`);
    const said = parsed(answer, "oidc: failed to decode provider discovery object: ", false);
    const { issuer: named = "", jwks_uri: jwksUrl = "" } = (said ?? {}) as Record<string, unknown>;
    if (named !== issuer.url) {
      const expected = `expected ${JSON.stringify(issuer.url)} got ${JSON.stringify(named)}`;
      const problem = "issuer did not match the issuer returned by provider";
      throw new OutsideFault(`oidc: ${problem}, ${expected}`);
    }
    const discovery = { issuer: named, jwksUrl: typeof jwksUrl === "string" ? jwksUrl : "" };
    this.#discovered.set(name, { ...discovery, askedMs: this.#nowMs() }, body.length);
    return discovery;
  }
}

function nameOf({ url, ca }: Question): string {
  return `${url} ${ca}`;
}

/** A token that names a key is held against that one, another one against all. */
function matching(keys: readonly PublicKey[], { keyId }: Jws): PublicKey[] {
  return keys.filter(({ id }) => keyId === "" || id === keyId);
}

async function asked(prefix: string, ask: () => Promise<OutsideAnswer>): Promise<OutsideAnswer> {
  try {
    return await ask();
  } catch (failure) {
    if (failure instanceof OutsideFault) throw new OutsideFault(prefix + failure.message);
    throw failure;
  }
}

function parsed({ contentType, body }: OutsideAnswer, prefix: string, showsBody: boolean): unknown {
  try {
    parseRawJson(body);
    return JSON.parse(body);
  } catch (failure) {
    if (!(failure instanceof DecodeError) && !(failure instanceof SyntaxError)) throw failure;
    const what = `got Content-Type = ${contentType}, but could not unmarshal as JSON`;
    const shown = showsBody ? ` ${body.slice(0, shownMax)}` : "";
    throw new OutsideFault(`${prefix}${what}: ${failure.message}${shown}`);
  }
}
