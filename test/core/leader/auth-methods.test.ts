// Logins whose keys are published elsewhere, or whose tokens others review: who is believed, what is asked, how often.

import { beforeEach, describe, expect, test } from "vitest";

import { administrator } from "../../support/acl-client.ts";
import { type Answer, ApiClient } from "../../support/api-client.ts";
import { derOf, ecSigner, FakeOutside, pretend, rsaSigner } from "../../support/issuer.ts";

const issuer = "https://issuer.test";
const jwksUrl = `${issuer}/keys`;
const signer = rsaSigner();
const stranger = rsaSigner();
const curve = ecSigner();

let nowMs: number;
let outside: FakeOutside;
let client: ApiClient;

beforeEach(async () => {
  nowMs = 1_800_000_000_000;
  outside = new FakeOutside();
  outside.publish(jwksUrl, { keys: [signer.jwk("a"), curve.jwk("e")] });
  outside.publish(`${issuer}/.well-known/openid-configuration`, { issuer, jwks_uri: jwksUrl });
  client = new ApiClient(
    { settings: { aclEnabled: true }, uuid: () => crypto.randomUUID() },
    { acl: { defaultPolicy: "deny", keyListPolicy: false }, nowMs: () => nowMs, outside },
  );
  const accessor = crypto.randomUUID();
  await client.cluster.writeOwn({ type: "acl.initialize", master: administrator, accessor });
});

const headers = { "X-Consul-Token": administrator };

async function put(path: string, body: object): Promise<Answer> {
  return await client.send("PUT", `/v1/acl/${path}`, { body, headers });
}

/** A method with a rule that binds everybody. */
async function method(config: object, type = "jwt", bindName = "web"): Promise<void> {
  const made = await put("auth-method", { Name: "m", Type: type, Config: config });
  expect([made.status, made.text]).toEqual([200, expect.any(String)]);
  await put("binding-rule", { AuthMethod: "m", BindType: "service", BindName: bindName });
}

async function login(token: string): Promise<Answer> {
  const body = { AuthMethod: "m", BearerToken: token };
  return await client.send("POST", "/v1/acl/login", { body });
}

const claims = (more: object = {}): object => ({
  ...{ iss: issuer, iat: nowMs / 1_000, exp: nowMs / 1_000 + 600 },
  ...more,
});

type Forgery = [what: string, token: () => string];

const forgeries: Forgery[] = [
  ["a stranger's", () => stranger.sign(claims(), { kid: "a" })],
  ["a stranger's, without naming a key", () => stranger.sign(claims())],
  ["one that names a key that is not there", () => signer.sign(claims(), { kid: "b" })],
  ["one that brings its own key", () => stranger.sign(claims(), { jwk: stranger.jwk("a") })],
  ["one that says where its key is", () => stranger.sign(claims(), { jku: "https://evil.test" })],
  ["one without a signature", () => pretend(claims(), null)],
  ["one signed with the public key as a secret", () => pretend(claims(), signer.pem)],
  ["the same with the bytes of the key", () => pretend(claims(), derOf(signer.pem))],
  ["one of another algorithm than its key's", () => signer.sign(claims(), { alg: "ES256" })],
  ["one with what must be understood", () => signer.sign(claims(), { crit: ["x"], x: 1 })],
  ["one whose claims were changed", () => changed(signer.sign(claims(), { kid: "a" }))],
  ["one that has ended", () => signer.sign({ iss: issuer, iat: 1, exp: nowMs / 1_000 - 3_600 })],
  ["one that begins later", () => signer.sign(claims({ nbf: nowMs / 1_000 + 3_600 }))],
  ["nothing", () => ""],
  ["no token", () => "x"],
  ["half a token", () => signer.sign(claims()).split(".").slice(0, 2).join(".")],
];

function changed(token: string): string {
  const [header, , signature] = token.split(".");
  const payload = Buffer.from(JSON.stringify(claims({ sub: "root" }))).toString("base64url");
  return [header, payload, signature].join(".");
}

const sources: [string, () => object][] = [
  ["keys that the method holds", () => ({ JWTValidationPubKeys: [signer.pem] })],
  ["published keys", () => ({ JWKSURL: jwksUrl })],
  ["a discovered issuer", () => ({ OIDCDiscoveryURL: issuer })],
];

describe.each(sources)("%s", (source, config) => {
  test("believe who they have signed for", async () => {
    await method(config());
    const { status, json } = await login(signer.sign(claims()));
    expect(status).toBe(200);
    expect(json).toMatchObject({ AuthMethod: "m", ServiceIdentities: [{ ServiceName: "web" }] });
  });

  const isHeld = source === "keys that the method holds";
  // Such keys have no names, so that one which is named is as good as another.
  const refused = isHeld ? forgeries.filter(([what]) => !what.includes("not there")) : forgeries;
  test.each(refused)("refuse %s", async (_what, token) => {
    await method(config());
    const { status, text } = await login(token());
    expect(status).toBe(500);
    expect(text).not.toContain(administrator);
    expect((await tokens()).length).toBe(2);
  });
});

async function tokens(): Promise<unknown[]> {
  return (await client.get("/v1/acl/tokens", headers)).json as unknown[];
}

test("algorithms that a method names are the only ones", async () => {
  await method({ JWKSURL: jwksUrl, JWTSupportedAlgs: ["ES256"] });
  expect((await login(curve.sign(claims()))).status).toBe(200);
  expect((await login(signer.sign(claims()))).status).toBe(500);
});

test("keys are kept for a while, and asked for anew when one is missing", async () => {
  await method({ JWKSURL: jwksUrl });
  const asked = () => outside.asked.length;
  expect(asked()).toBe(1);
  await login(signer.sign(claims()));
  expect(asked()).toBe(1);
  outside.publish(jwksUrl, { keys: [stranger.jwk("new")] });
  // So soon nobody is asked again, however many try.
  for (let n = 0; n < 5; n++) {
    expect((await login(stranger.sign(claims(), { kid: "new" }))).status).toBe(500);
  }
  expect(asked()).toBe(1);
  nowMs += 11_000;
  expect((await login(stranger.sign(claims(), { kid: "new" }))).status).toBe(200);
  expect(asked()).toBe(2);
  // What the issuer has taken back is forgotten in the end.
  nowMs += 301_000;
  expect((await login(signer.sign(claims(), { kid: "a" }))).status).toBe(500);
});

test("questions have a deadline and a bound, and may name whom they trust", async () => {
  const ca = certificate;
  await method({ JWKSURL: jwksUrl, JWKSCACert: ca });
  expect(outside.asked).toMatchObject([
    { url: jwksUrl, ca, timeoutMs: 4_000, bytesMax: 1_048_576 },
  ]);
});

test("redirects are followed a few times, and never to where nothing is secret", async () => {
  const to = (location: string) => () => ({ status: 302, location });
  outside.pages.set("https://issuer.test/moved", to("/keys"));
  await method({ JWKSURL: "https://issuer.test/moved" });
  outside.pages.set("https://issuer.test/round", to("/round"));
  outside.pages.set("https://issuer.test/plain", to("http://issuer.test/keys"));
  for (const path of ["round", "plain"]) {
    const Config = { JWKSURL: `https://issuer.test/${path}` };
    const refused = await put("auth-method", { Name: path, Type: "jwt", Config });
    expect(refused.text).toMatch(
      /^Invalid Auth Method: error checking JWKSURL: .*(stopped|secret)/,
    );
  }
});

test("a platform that trusts no authorities but its own refuses others", async () => {
  outside.trustsGiven = false;
  const Config = { JWKSURL: jwksUrl, JWKSCACert: certificate };
  const refused = await put("auth-method", { Name: "x", Type: "jwt", Config });
  expect([refused.status, refused.text]).toEqual([
    500,
    expect.stringContaining("JWKSCACert cannot"),
  ]);
  const kubernetes = {
    Host: "https://k8s.test",
    CACert: certificate,
    ServiceAccountJWT: "e30.e30.",
  };
  const other = await put("auth-method", { Name: "k", Type: "kubernetes", Config: kubernetes });
  expect(other.text).toContain("Config.CACert cannot be used");
  expect(outside.asked).toEqual([]);
});

test("a method that was deleted while a login was looked at grants nothing", async () => {
  await method({ JWKSURL: jwksUrl });
  nowMs += 301_000;
  const page = Promise.withResolvers<{ body: string }>();
  outside.pages.set(jwksUrl, () => page.promise);
  const pending = login(signer.sign(claims()));
  await expect.poll(() => outside.asked.length).toBe(2);
  await client.send("DELETE", "/v1/acl/auth-method/m", { headers });
  page.resolve({ body: JSON.stringify({ keys: [signer.jwk("a")] }) });
  const { status, text } = await pending;
  expect([status, text]).toEqual([403, "ACL not found"]);
  expect((await tokens()).length).toBe(2);
});

test("a rule that was taken away meanwhile grants nothing either", async () => {
  await method({ JWKSURL: jwksUrl });
  nowMs += 301_000;
  const page = Promise.withResolvers<{ body: string }>();
  outside.pages.set(jwksUrl, () => page.promise);
  const pending = login(signer.sign(claims()));
  await expect.poll(() => outside.asked.length).toBe(2);
  const rules = (await client.get("/v1/acl/binding-rules", headers)).json as { ID: string }[];
  await client.send("DELETE", `/v1/acl/binding-rule/${rules[0]?.ID}`, { headers });
  page.resolve({ body: JSON.stringify({ keys: [signer.jwk("a")] }) });
  expect((await pending).status).toBe(403);
});

test("what only a leader may make is refused from anywhere else", async () => {
  const { cluster } = client;
  const options = { token: administrator };
  const Config = { JWKSURL: jwksUrl };
  const method = { ...described, Config };
  await expect(cluster.write({ type: "auth.method.set", method }, options)).rejects.toThrow(
    "only servers make auth.method.set",
  );
  const reset = { type: "acl.bootstrap", accessor: "a", secret: "s", resetIndex: 5 } as const;
  await expect(cluster.write(reset, options)).rejects.toThrow("only a server's own disk");
});

const described = {
  ...{ Name: "m", Type: "jwt", DisplayName: "", Description: "", MaxTokenTTL: 0 },
  TokenLocality: "",
};

describe("Kubernetes", () => {
  const host = "https://k8s.test";
  const reviews = `${host}/apis/authentication.k8s.io/v1/tokenreviews`;
  const account = `${host}/api/v1/namespaces/shop/serviceaccounts/web`;
  const bearer = stranger.sign({ sub: "web" });

  function reviewed(status: object): void {
    outside.pages.set(reviews, () => ({ status: 201, body: JSON.stringify({ status }) }));
  }

  beforeEach(async () => {
    const Config = { Host: host, CACert: certificate, ServiceAccountJWT: signer.sign({}) };
    await method(Config, "kubernetes", "${serviceaccount.namespace}-${serviceaccount.name}");
    const user = { username: "system:serviceaccount:shop:web", uid: "u" };
    reviewed({ authenticated: true, user });
    outside.publish(account, { metadata: {} });
  });

  test("the API server says whose token it is, asked as the method's own account", async () => {
    const { json } = await login(bearer);
    expect(json).toMatchObject({ ServiceIdentities: [{ ServiceName: "shop-web" }] });
    expect(outside.asked.map(({ method, url, ca }) => [method, url, ca])).toEqual([
      ["POST", reviews, certificate],
      ["GET", account, certificate],
    ]);
    expect(outside.asked[0]?.body).toContain(bearer);
    for (const { headers: shown } of outside.asked) {
      expect(shown.authorization).toMatch(/^Bearer ey/);
      expect(shown.authorization).not.toContain(bearer);
    }
  });

  test("an account may name its service otherwise", async () => {
    const annotations = { "consul.hashicorp.com/service-name": "shop" };
    outside.publish(account, { metadata: { annotations } });
    const { json } = await login(bearer);
    expect(json).toMatchObject({ ServiceIdentities: [{ ServiceName: "shop-shop" }] });
  });

  const refusals: [status: object, text: string][] = [
    [{ authenticated: false }, "lookup failed: service account jwt not valid"],
    [{}, "lookup failed: service account jwt not valid"],
    [{ authenticated: "true" }, "lookup failed: service account jwt not valid"],
    [{ authenticated: true, error: "odd" }, "lookup failed: odd"],
    [{ authenticated: true }, "lookup failed: unexpected username format"],
    [named("bob"), "lookup failed: unexpected username format"],
    [named("system:serviceaccount:a:b:c"), "lookup failed: unexpected username format"],
    [named("system:node:a:b"), "lookup failed: username returned is not a service account"],
    [
      named("system:serviceaccount:shop:"),
      "annotation lookup failed: resource name may not be empty",
    ],
    [
      named("system:serviceaccount:shop:.."),
      `annotation lookup failed: invalid resource name "..": [may not be '..']`,
    ],
  ];
  test.each(refusals)("%j is nobody", async (status, text) => {
    reviewed(status);
    const answer = await login(bearer);
    expect([answer.status, answer.text]).toEqual([500, text]);
  });

  const failures: [answer: object, text: string][] = [
    [{ status: 500, body: "boom" }, 'an error on the server ("boom") has prevented the request'],
    [{ status: 404, body: "x" }, "the server could not find the requested resource"],
    [{ status: 403, body: '{"kind":"Status","message":"forbidden"}' }, "forbidden"],
    [
      { status: 201, body: "nope" },
      "couldn't get version/kind; json parse error: invalid character",
    ],
    [{ status: 201, body: "null" }, "couldn't get version/kind"],
    [{ status: 302, location: "https://evil.test", body: "" }, "an error on the server"],
  ];
  test.each(failures)("%j is no answer", async (answer, text) => {
    outside.pages.set(reviews, () => answer);
    const refused = await login(bearer);
    expect([refused.status, refused.text]).toEqual([500, expect.stringContaining(text)]);
  });
});

function named(username: string): object {
  return { authenticated: true, user: { username, uid: "u" } };
}

/** Of an authority that nobody else knows. */
const certificate = `-----BEGIN CERTIFICATE-----
MIIDAzCCAeugAwIBAgIUMOXU9mpsJ2cLE8zcYDnKNTs8a2UwDQYJKoZIhvcNAQEL
BQAwETEPMA0GA1UEAwwGdGVzdGNhMB4XDTI2MTEyNjA5MDQyN1oXDTM2MTEyMzA5
MDQyN1owETEPMA0GA1UEAwwGdGVzdGNhMIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A
MIIBCgKCAQEAy5DQcCr1tM01W5+HX2p9r/TK6siEZ+32u6CGC/8wUN2kaXbkGM14
WYfSVVYipUbvs6jh+IGr8Sj0p4Cl8ibHRo+Zl5RC4eBUFthDPAkZkfIoZ8qsu30l
N4yWW0peGB40Kh5J13FPGB3DpOMB5v+cXLNsDZKfOsWBc6CJyWJPnAwwUuEpokkV
WjyHGTtR9n7iyC3TvftMJr3wcSLD+RmOiOAi6RwaU95uqeIfAwVMhrrJZqoWLkBp
1JBLjxOrKecmN4Y5JhyHLh7BPYxLpot9K2gPVowWF8vFJDVKyNqA3EaNgs7toh1o
Zx3k2P1ky8guz6RQ6OF+0a12/qvE9t2lJQIDAQABo1MwUTAdBgNVHQ4EFgQU4CoH
8J6d/PVlCPMFAKHv8r7xnAAwHwYDVR0jBBgwFoAU4CoH8J6d/PVlCPMFAKHv8r7x
nAAwDwYDVR0TAQH/BAUwAwEB/zANBgkqhkiG9w0BAQsFAAOCAQEAiRq5Jxa2rRYX
yR9YmuoER2EGgwYr+FNOwG2T7U0a6uFYY9CcyrwXrZiYI43zOgG5mbB9tv+kB9+H
EGV/Rr4F8+m3H+GW2WecHGpW+RCNYM7G6VKS3fAXFJ22X06K4/yP93dMr/JWk8sh
p9QSz34pe+NiD4Pbo9iXDXGANHWXS+oVwITZKrtHpUCEcmd7n2O7EaFrIScI3DzX
QKjnI2Y6vcLbT0X508qB9FkUdCUgp7TinvCCkek+HOmk90EWkRlqCSY0cUVCHwpx
BmHw83NQ2xA7tM6IZDqV5+POPRStQj/cg/o68eVafEcC//TPewAWR46tr+lBnWP/
C7sZRm//gg==
-----END CERTIFICATE-----
`;
