// Tokens are verified inside workerd as they are in Node: its own cryptography, the same verdicts.

import { exportJWK, exportSPKI, generateKeyPair, SignJWT } from "jose";
import { beforeAll, expect, test } from "vitest";

import { JwtMethods } from "../../durable/leader/auth/jwt.ts";
import { fetchOutside } from "../../durable/platform/cloudflare/outside.ts";
import { noOutside, type Outside } from "../../durable/platform/platform.ts";

const nowMs = 1_800_000_000_000;
const algorithms = ["RS256", "PS384", "ES256", "ES384", "EdDSA"] as const;

type Pair = Awaited<ReturnType<typeof generateKeyPair>>;
const pairs = new Map<string, Pair>();
let published: object;

beforeAll(async () => {
  for (const alg of algorithms) {
    pairs.set(alg, await generateKeyPair(alg, { extractable: true }));
  }
  const keys = await Promise.all(
    [...pairs].map(async ([kid, { publicKey }]) => ({ ...(await exportJWK(publicKey)), kid })),
  );
  published = { keys };
});

const outside: Outside = {
  ...noOutside,
  trustsGiven: false,
  ask: () =>
    Promise.resolve({
      ...{ status: 200, contentType: "application/json", location: "" },
      body: JSON.stringify(published),
    }),
};

function pair(alg: string): Pair {
  const known = pairs.get(alg);
  if (!known) throw new Error(`no key for ${alg}`);
  return known;
}

async function token(alg: string, by: string, header: object = {}): Promise<string> {
  return await new SignJWT({ user: "Web" })
    .setProtectedHeader({ alg, ...header })
    .setIssuedAt(nowMs / 1_000)
    .setExpirationTime(nowMs / 1_000 + 60)
    .sign(pair(by).privateKey);
}

test.each(algorithms)("%s, by keys of the method and by published ones", async (alg) => {
  const methods = new JwtMethods(outside, () => nowMs);
  const pem = await exportSPKI(pair(alg).publicKey);
  const ClaimMappings = { user: "user" };
  const bearer = await token(alg, alg);
  for (const source of [{ JWTValidationPubKeys: [pem] }, { JWKSURL: "https://issuer.test/" }]) {
    const config = { ...source, ClaimMappings };
    await methods.check(config);
    expect((await methods.identify(config, bearer)).fields).toMatchObject({
      value: { user: "Web" },
    });
  }
});

test("a key of another is none", async () => {
  const methods = new JwtMethods(outside, () => nowMs);
  const stranger = await generateKeyPair("ES256");
  pairs.set("stranger", stranger);
  const bearer = await token("ES256", "stranger", { kid: "ES256" });
  for (const source of [
    { JWTValidationPubKeys: [await exportSPKI(pair("ES256").publicKey)] },
    { JWKSURL: "https://issuer.test/" },
  ]) {
    await expect(methods.identify(source, bearer)).rejects.toThrow(/signature/);
  }
});

test("what has an authority of its own is refused here, before anybody is asked", async () => {
  expect(fetchOutside.trustsGiven).toBe(false);
  const request = { method: "GET", url: "https://127.0.0.1:1/", headers: {} } as const;
  const bounds = { timeoutMs: 1_000, bytesMax: 10 };
  await expect(fetchOutside.ask({ ...request, ...bounds, ca: "pem" })).rejects.toThrow(
    "trusts no authorities but its own",
  );
});
