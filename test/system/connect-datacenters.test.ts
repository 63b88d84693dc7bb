// Connect in two datacenters of one's own, through their real ports: one has the roots, the other signs under them,
// also while it is cut off. OpenSSL judges every chain.

import { execFileSync } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { join } from "node:path";

import { afterAll, beforeAll, expect, test } from "vitest";

import { eventually } from "../support/eventually.ts";
import { agentPorts } from "../support/free-ports.ts";
import { verified } from "../support/openssl.ts";
import {
  type Answer,
  Proconsul,
  request,
  type StartOptions,
  stopAll,
  temporaryDirectory,
} from "../support/proconsul.ts";

interface Roots {
  ActiveRootID: string;
  TrustDomain: string;
  Roots: { ID: string; RootCert: string; IntermediateCerts: string[] | null; Active: boolean }[];
}

interface Leaf {
  CertPEM: string;
  PrivateKeyPEM: string;
  ServiceURI: string;
}

const key = "only for servers of both datacenters";
const files = temporaryDirectory();
let near: Proconsul;
let far: Proconsul;
let nearOptions: StartOptions;
let farOptions: StartOptions;

async function optionsOf(dc: string): Promise<StartOptions> {
  const config = {
    ...{ server: true, bootstrap: true, bind_addr: "127.0.0.1", server_key: key },
    ...{ datacenter: dc, node_name: dc, primary_datacenter: "dc1" },
    data_dir: join(temporaryDirectory(), "data"),
    connect: { enabled: true },
  };
  return { ports: await agentPorts(), config };
}

beforeAll(async () => {
  [nearOptions, farOptions] = await Promise.all([optionsOf("dc1"), optionsOf("dc2")]);
  [near, far] = await Promise.all([Proconsul.start(nearOptions), Proconsul.start(farOptions)]);
}, 60_000);

afterAll(stopAll);

async function rootsOf(agent: Proconsul): Promise<Roots> {
  return (await agent.get("/v1/connect/ca/roots")).json<Roots>();
}

async function leafOf(agent: Proconsul, service: string): Promise<Leaf> {
  return (await agent.get(`/v1/agent/connect/ca/leaf/${service}`)).json<Leaf>();
}

function rootIn({ Roots: roots, ActiveRootID: id }: Roots): string {
  return roots.find((root) => root.ID === id)?.RootCert ?? "";
}

/** What OpenSSL says of it, to whoever trusts only the root. */
function judged({ CertPEM: chain }: Leaf, root: string): string {
  return verified(chain, root, files);
}

function newKey(): string {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  return privateKey.export({ type: "sec1", format: "pem" }) as string;
}

async function configure(agent: Proconsul, Config: object): Promise<Answer> {
  return await agent.put("/v1/connect/ca/configuration", { Provider: "consul", Config });
}

async function follows(): Promise<void> {
  await eventually(
    async () => {
      const { ActiveRootID: id } = await rootsOf(near);
      return id !== "" && (await rootsOf(far)).ActiveRootID === id;
    },
    { what: "the secondary has the primary's root", limitMs: 20_000 },
  );
}

test("before they are joined the secondary has no root, and says so in Consul's words", async () => {
  const { ActiveRootID: id, Roots: roots } = await rootsOf(far);
  expect([id, roots]).toEqual(["", []]);
  const leaf = await far.get("/v1/agent/connect/ca/leaf/web");
  expect([leaf.status, leaf.text]).toEqual([500, "internal error: CA root is nil"]);
  const put = await configure(far, { LeafCertTTL: "71h" });
  expect([put.status, put.text]).toEqual([
    500,
    "Error updating secondary datacenter CA config: " +
      "primary datacenter does not have an active root CA for Connect",
  ]);
});

test("joined, it signs under the primary's root", async () => {
  const waiting = far.get("/v1/connect/ca/roots?index=1&wait=20s");
  const address = `127.0.0.1:${near.ports.serf_wan}`;
  expect((await far.put(`/v1/agent/join/${address}?wan=1`)).status).toBe(200);
  await follows();
  expect((await waiting).status).toBe(200);
  const [mine, theirs] = [await rootsOf(far), await rootsOf(near)];
  expect(mine.TrustDomain).toBe(theirs.TrustDomain);
  const leaf = await leafOf(far, "web");
  expect(leaf.ServiceURI).toBe(`spiffe://${theirs.TrustDomain}/ns/default/dc/dc2/svc/web`);
  expect(judged(leaf, rootIn(theirs))).toBe("OK");
  expect((await far.get("/v1/agent/connect/ca/roots")).json<Roots>().ActiveRootID).toBe(
    theirs.ActiveRootID,
  );
});

test("an intention that is made in either decides about services of the other", async () => {
  const intention = { SourceName: "web", DestinationName: "db", Action: "deny" };
  expect((await request(`${far.url}/v1/connect/intentions`, post(intention))).status).toBe(200);
  expect((await near.get("/v1/connect/intentions")).json()).toHaveLength(1);
  const { ServiceURI: uri } = await leafOf(near, "web");
  expect(uri).toContain("/dc/dc1/");
  const asked = { Target: "db", ClientCertURI: uri, ClientCertSerial: "01" };
  await eventually(
    async () => {
      const answer = await request(`${far.url}/v1/agent/connect/authorize`, post(asked));
      return answer.text.includes('"Authorized":false,"Reason":"Matched intention: DENY');
    },
    { what: "the intention counts in the secondary" },
  );
});

function post(body: object) {
  return { method: "POST", body };
}

test("whoever has not the servers' key is not signed for", async () => {
  const body = { ask: "sign", from: "dc2", csr: "x" };
  for (const headers of [{}, { "x-proconsul-server-key": "another one, as long as it" }]) {
    const answer = await request(`${near.serverUrl}/rpc/authority`, { ...post(body), headers });
    expect([answer.status, answer.text]).toEqual([403, "the server key is wrong"]);
  }
  const ask = async (asked: object): Promise<string> => {
    const headers = { "x-proconsul-server-key": key };
    const answer = await request(`${near.serverUrl}/rpc/authority`, { ...post(asked), headers });
    return `${answer.status} ${answer.text}`;
  };
  expect(await ask({ ...body, from: "dc9" })).toBe(
    '503 "dc9" is no datacenter that copies this one',
  );
  expect(await ask(body)).toBe("503 no PEM-encoded data found");
  expect(await ask({ ask: "sign" })).toBe("400 no question for a certificate authority");
});

test("a root that is replaced is followed, and the old one still verifies", async () => {
  const old = rootIn(await rootsOf(near));
  const before = await leafOf(far, "web");
  expect((await configure(near, { PrivateKey: newKey() })).status).toBe(200);
  expect((await configure(near, { PrivateKey: newKey() })).status).toBe(200);
  await follows();
  const root = rootIn(await rootsOf(near));
  const leaf = await leafOf(far, "api");
  expect(judged(leaf, root)).toBe("OK");
  expect(judged(before, old)).toBe("OK");
  // The agent makes another one within half a minute; until then the old one is in order.
  expect((await rootsOf(far)).Roots.map(({ RootCert }) => RootCert)).toContain(old);
});

test("cut off, it goes on signing, changes nothing that needs the primary, and says so", async () => {
  await near.kill();
  const root = rootIn(await rootsOf(far));
  expect(judged(await leafOf(far, "alone"), root)).toBe("OK");
  const refused = await configure(far, { PrivateKey: newKey() });
  expect(refused.status).toBe(500);
  expect(refused.text).toMatch(/^Error updating secondary datacenter CA config: /);
  expect((await configure(far, { LeafCertTTL: "71h" })).status).toBe(200);
  expect(await far.stop()).toEqual({ code: 1, signal: null });
  far = await Proconsul.start(farOptions);
  expect(judged(await leafOf(far, "again"), root)).toBe("OK");
  await eventually(() => far.output.includes("signs with the one it has until then"), {
    what: "it says that it cannot reach the primary",
  });
  near = await Proconsul.start(nearOptions);
  expect((await configure(near, { PrivateKey: newKey() })).status).toBe(200);
  await follows();
  expect(judged(await leafOf(far, "after"), rootIn(await rootsOf(near)))).toBe("OK");
});

test("an archive of the secondary brings back what signs there", async () => {
  const saved = await fetch(`${far.url}/v1/snapshot`);
  const archive = new Uint8Array(await saved.arrayBuffer());
  const before = await rootsOf(far);
  const restored = await fetch(`${far.url}/v1/snapshot`, { method: "PUT", body: archive });
  expect(restored.status).toBe(200);
  await follows();
  const leaf = await leafOf(far, "restored");
  expect(judged(leaf, rootIn(before))).toBe("OK");
});

test("no key is printed, or answered to anybody but its service", async () => {
  const PrivateKey = newKey();
  expect((await configure(far, { PrivateKey })).status).toBe(200);
  const secret = PrivateKey.split("\n")[1] ?? "none";
  for (const agent of [near, far]) {
    expect(agent.output).not.toContain(secret);
    expect(agent.output).not.toContain("PRIVATE KEY");
    for (const path of ["connect/ca/configuration", "connect/ca/roots", "agent/self"]) {
      expect((await agent.get(`/v1/${path}`)).text).not.toContain(secret);
    }
  }
  // Nor does the primary's data have it.
  const theirs = await fetch(`${near.url}/v1/snapshot`);
  const unpacked = execFileSync("gunzip", { input: new Uint8Array(await theirs.arrayBuffer()) });
  expect(unpacked.toString("latin1")).not.toContain(secret);
  expect(unpacked.toString("latin1")).toContain("PRIVATE KEY");
});
