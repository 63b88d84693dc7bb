// Somebody who signs tokens, and a network in which what they publish is found.

import {
  createHmac,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign as signBytes,
} from "node:crypto";

import {
  noOutside,
  type Outside,
  type OutsideAnswer,
  type OutsideRequest,
} from "../../durable/platform/platform.ts";

export interface Signer {
  readonly pem: string;
  jwk(kid: string): Record<string, unknown>;
  /** A token with these claims, or with a payload as it is. */
  sign(claims: object | string, header?: Record<string, unknown>): string;
}

export function rsaSigner(): Signer {
  return signerOf(generateKeyPairSync("rsa", { modulusLength: 2_048 }), "RS256");
}

export function ecSigner(): Signer {
  return signerOf(generateKeyPairSync("ec", { namedCurve: "P-256" }), "ES256");
}

function signerOf(
  { publicKey, privateKey }: { publicKey: KeyObject; privateKey: KeyObject },
  alg: "RS256" | "ES256",
): Signer {
  return {
    pem: publicKey.export({ type: "spki", format: "pem" }) as string,
    jwk: (kid) => ({ ...publicKey.export({ format: "jwk" }), kid }),
    sign: (claims, header = {}) => {
      const signed = signedPart(claims, { alg, ...header });
      const key = { key: privateKey, dsaEncoding: "ieee-p1363" } as const;
      return `${signed}.${signBytes("sha256", Buffer.from(signed), key).toString("base64url")}`;
    },
  };
}

/** A token that only pretends: signed with a text as shared secret, or not at all. */
export function pretend(claims: object, secret: string | null): string {
  const signed = signedPart(claims, { alg: secret === null ? "none" : "HS256" });
  const signature = secret === null ? "" : createHmac("sha256", secret).update(signed);
  return `${signed}.${typeof signature === "string" ? "" : signature.digest("base64url")}`;
}

function signedPart(claims: object | string, header: object): string {
  const payload = typeof claims === "string" ? claims : JSON.stringify(claims);
  return [JSON.stringify(header), payload]
    .map((part) => Buffer.from(part).toString("base64url"))
    .join(".");
}

/** The same key in its other form, as an attacker who knows it would use it. */
export function derOf(pem: string): string {
  return createPublicKey(pem).export({ type: "spki", format: "der" }).toString("latin1");
}

type Page = (request: OutsideRequest) => Partial<OutsideAnswer> | Promise<Partial<OutsideAnswer>>;

export class FakeOutside implements Outside {
  trustsGiven = true;
  readonly skipsVerification = true;
  readonly probe = noOutside.probe;
  readonly dial = noOutside.dial;
  readonly asked: OutsideRequest[] = [];
  readonly pages = new Map<string, Page>();

  publish(url: string, value: unknown): void {
    this.pages.set(url, () => ({ body: JSON.stringify(value) }));
  }

  async ask(request: OutsideRequest): Promise<OutsideAnswer> {
    this.asked.push(request);
    const page = this.pages.get(request.url);
    if (!page) throw new Error("dial tcp: no such host");
    const answer = await page(request);
    return { status: 200, contentType: "application/json", location: "", body: "", ...answer };
  }
}
