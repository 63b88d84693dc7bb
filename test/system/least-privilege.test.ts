// What Vault, Nomad and Traefik ask of Consul, in the order in which they ask it, each with a token that may do no more
// than their documentation says they need, on a datacenter that denies by default.

import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { eventually } from "../support/eventually.ts";
import { type Answer, type Ask, Proconsul, request, stopAll } from "../support/proconsul.ts";

const administrator = randomUUID();

let agent: Proconsul;

beforeAll(async () => {
  const acl = { enabled: true, default_policy: "deny" };
  const tokens = { master: administrator, agent: administrator };
  agent = await Proconsul.spawn({
    args: ["-dev", "-node", "here"],
    config: { acl: { ...acl, tokens } },
  });
  await agent.led(undefined, administrator);
});
afterAll(stopAll);

/** Asks with one token. */
class Client {
  readonly #token: string;

  constructor(token: string) {
    this.#token = token;
  }

  /** A client whose token has these rules. */
  static async withRules(name: string, rules: string): Promise<Client> {
    const admin = new Client(administrator);
    const { ID } = await admin.json<{ ID: string }>("PUT", "/v1/acl/policy", {
      ...{ Name: name, Rules: rules },
    });
    const Policies = [{ ID }];
    const token = await admin.json<{ SecretID: string }>("PUT", "/v1/acl/token", { Policies });
    return new Client(token.SecretID);
  }

  async ask(method: string, path: string, body?: Ask["body"]): Promise<Answer> {
    const headers = { "X-Consul-Token": this.#token };
    const sent = body === undefined ? {} : { body };
    return await request(agent.url + path, { method, headers, ...sent });
  }

  /** Body of a 200; throws at any other status. */
  async text(method: string, path: string, body?: Ask["body"]): Promise<string> {
    const answer = await this.ask(method, path, body);
    expect(answer.status, `${method} ${path}: ${answer.text}`).toBe(200);
    return answer.text;
  }

  async json<Value>(method: string, path: string, body?: Ask["body"]): Promise<Value> {
    return JSON.parse(await this.text(method, path, body)) as Value;
  }

  async status(method: string, path: string, body?: Ask["body"]): Promise<number> {
    return (await this.ask(method, path, body)).status;
  }
}

interface KvEntry {
  Key: string;
  Value: string;
  Session?: string;
  LockIndex: number;
}

function base64(text: string): string {
  return Buffer.from(text).toString("base64");
}

/** https://developer.hashicorp.com/vault/docs/configuration/storage/consul */
describe("Vault: storage, leadership and registration", () => {
  const rules = `
    key_prefix "vault/" { policy = "write" }
    service "vault" { policy = "write" }
    agent_prefix "" { policy = "read" }
    session_prefix "" { policy = "write" }`;
  /** What the lock of Consul's client library marks its keys with. */
  const lockFlag = "3304740253564472344";
  let vault: Client;

  beforeAll(async () => {
    vault = await Client.withRules("vault", rules);
  });

  test("keeps its entries: one by one, in transactions, and lists them by folder", async () => {
    await vault.text("PUT", "/v1/kv/vault/core/seal-config", "sealed");
    const operations = ["core/keyring", "logical/a/secret", "logical/b"].map((name) => ({
      KV: { Verb: "set", Key: `vault/${name}`, Value: base64(name) },
    }));
    const { Errors } = await vault.json<{ Errors: unknown }>("PUT", "/v1/txn", operations);
    expect(Errors).toBeNull();
    const [entry] = await vault.json<KvEntry[]>("GET", "/v1/kv/vault/logical/b?consistent=");
    expect(entry).toMatchObject({ Key: "vault/logical/b", Value: base64("logical/b") });
    expect(await vault.json("GET", "/v1/kv/vault/logical/?keys=&separator=%2F")).toEqual([
      "vault/logical/a/",
      "vault/logical/b",
    ]);
    const read = [{ KV: { Verb: "get-tree", Key: "vault/core/" } }];
    const { Results } = await vault.json<{ Results: { KV: KvEntry }[] }>("PUT", "/v1/txn", read);
    expect(Results.map(({ KV }) => KV.Key)).toEqual([
      "vault/core/keyring",
      "vault/core/seal-config",
    ]);
    await vault.text("DELETE", "/v1/kv/vault/logical/b");
    expect(await vault.status("GET", "/v1/kv/vault/logical/b")).toBe(404);
  });

  test("leads by a lock: the standby waits, and takes over when the session ends", async () => {
    const self = await vault.json<{ Config: { NodeName: string } }>("GET", "/v1/agent/self");
    const contend = async (): Promise<string> => {
      const session = { Name: "Vault Lock", TTL: "15s", Node: self.Config.NodeName };
      return (await vault.json<{ ID: string }>("PUT", "/v1/session/create", session)).ID;
    };
    const acquire = (session: string): Promise<boolean> =>
      vault.json(
        ...([
          "PUT",
          `/v1/kv/vault/core/lock?acquire=${session}&flags=${lockFlag}`,
          session,
        ] as const),
      );
    const [first, second] = [await contend(), await contend()];
    expect(await acquire(first)).toBe(true);
    expect(await acquire(second)).toBe(false);
    const held = await vault.ask("GET", "/v1/kv/vault/core/lock?consistent=");
    expect(held.json<KvEntry[]>()).toMatchObject([{ Session: first, LockIndex: 1 }]);
    const index = held.headers.get("x-consul-index");
    const released = vault.json<KvEntry[]>(
      ...(["GET", `/v1/kv/vault/core/lock?index=${index}&wait=15s&consistent=`] as const),
    );
    await vault.text("PUT", `/v1/session/renew/${first}`);
    await vault.text("PUT", `/v1/kv/vault/core/lock?release=${first}&flags=${lockFlag}`, first);
    const [free] = await released;
    expect(free?.Session).toBeUndefined();
    expect(await acquire(second)).toBe(true);
    await vault.text("PUT", `/v1/session/destroy/${first}`);
    await vault.text("PUT", `/v1/session/destroy/${second}`);
  });

  test("registers itself, with a check that it keeps passing, and tags that follow its state", async () => {
    const service = (tags: string[]): object => ({
      ...{ ID: "vault:127.0.0.1:8200", Name: "vault", Tags: tags, Port: 8_200 },
      ...{ Address: "127.0.0.1", EnableTagOverride: false },
    });
    const check = {
      ...{ ID: "vault:127.0.0.1:8200:vault-sealed-check", Name: "Vault Sealed Status" },
      ...{ Notes: "Vault is sealed", TTL: "5s", Status: "critical" },
      ServiceID: "vault:127.0.0.1:8200",
    };
    await vault.text("PUT", "/v1/agent/service/register", service(["standby"]));
    await vault.text("PUT", "/v1/agent/check/register", check);
    const passing = { Status: "passing", Output: "Vault Unsealed" };
    await vault.text("PUT", `/v1/agent/check/update/${check.ID}`, passing);
    await vault.text("PUT", "/v1/agent/service/register", service(["active"]));
    expect(Object.keys(await vault.json("GET", "/v1/agent/services"))).toEqual([
      "vault:127.0.0.1:8200",
    ]);
    const admin = new Client(administrator);
    await eventually(
      async () => {
        const path = "/v1/health/service/vault?passing=1&tag=active";
        return (await admin.json<unknown[]>("GET", path)).length === 1;
      },
      { what: "the active Vault is found" },
    );
  });

  test("gets nothing else", async () => {
    expect(await vault.status("PUT", "/v1/kv/other", "1")).toBe(403);
    expect(await vault.status("GET", "/v1/kv/other")).toBe(403);
    expect(await vault.status("GET", "/v1/kv/?recurse=")).toBe(200);
    const foreign = [{ KV: { Verb: "set", Key: "other", Value: "" } }];
    const txn = await vault.ask("PUT", "/v1/txn", [...foreign]);
    expect([txn.status, txn.text.includes("Permission denied")]).toEqual([409, true]);
    expect(await vault.status("PUT", "/v1/agent/service/register", { Name: "web" })).toBe(403);
    expect(await vault.status("GET", "/v1/acl/tokens")).toBe(403);
    expect(await vault.status("PUT", "/v1/agent/leave")).toBe(403);
    expect(await vault.json("GET", "/v1/catalog/nodes")).toEqual([]);
  });
});

/** https://developer.hashicorp.com/nomad/docs/secure/acl/consul, without what came after Consul 1.8. */
describe("Nomad: registration of tasks, and identities for Connect", () => {
  const rules = `
    agent_prefix "" { policy = "read" }
    node_prefix "" { policy = "read" }
    service_prefix "" { policy = "write" }
    acl = "write"`;
  const task = "_nomad-task-5f1c-group-web-web-http";
  let nomad: Client;

  beforeAll(async () => {
    nomad = await Client.withRules("nomad", rules);
  });

  test("takes the agent's fingerprint, and finds the other servers", async () => {
    const self = await nomad.json<{
      Config: { Version: string; Datacenter: string; Server: boolean };
      Member: { Tags: object };
    }>("GET", "/v1/agent/self");
    expect(self.Config).toMatchObject({ Datacenter: "dc1", Server: true });
    expect(self.Config.Version).toMatch(/^\d+\.\d+\.\d+/);
    expect(await nomad.json("GET", "/v1/catalog/datacenters")).toEqual(["dc1"]);
    const server = { ID: "_nomad-server-1", Name: "nomad", Tags: ["rpc"], Port: 4_647 };
    await nomad.text("PUT", "/v1/agent/service/register", server);
    await eventually(
      async () => {
        const path = "/v1/catalog/service/nomad?dc=dc1&near=_agent&stale=&tag=rpc&wait=2000ms";
        const [found] = await nomad.json<{ ServicePort: number }[]>("GET", path);
        return found?.ServicePort === 4_647;
      },
      { what: "the server is found" },
    );
  });

  test("keeps the agent's services and checks as its jobs are, and reads what the checks say", async () => {
    await nomad.text("PUT", "/v1/agent/service/register", {
      ...{ ID: task, Name: "web", Tags: ["v1"], Port: 20_001, Address: "127.0.0.1" },
      Meta: { "external-source": "nomad" },
      Weights: { Passing: 1, Warning: 1 },
    });
    const check = { ID: "_nomad-check-1", Name: "alive", ServiceID: task, TTL: "30s" };
    await nomad.text("PUT", "/v1/agent/check/register", check);
    await nomad.text("PUT", "/v1/agent/check/update/_nomad-check-1", { Status: "passing" });
    const services = await nomad.json<Record<string, { Meta: object }>>(
      "GET",
      "/v1/agent/services",
    );
    expect(services[task]?.Meta).toEqual({ "external-source": "nomad" });
    const checks = await nomad.json<Record<string, { Status: string }>>("GET", "/v1/agent/checks");
    expect(checks["_nomad-check-1"]?.Status).toBe("passing");
    await nomad.text("PUT", "/v1/agent/check/deregister/_nomad-check-1");
    await nomad.text("PUT", `/v1/agent/service/deregister/${task}`);
    expect(await nomad.json("GET", "/v1/agent/services")).not.toHaveProperty([task]);
  });

  test("makes a token for a task, which is the service's identity and ends with it", async () => {
    const made = await nomad.json<{ AccessorID: string; SecretID: string }>(
      ...([
        "PUT",
        "/v1/acl/token",
        {
          Description: "_nomad_si [cluster] [alloc] [connect-proxy-api]",
          ServiceIdentities: [{ ServiceName: "api" }],
        },
      ] as const),
    );
    const proxy = new Client(made.SecretID);
    const self = await proxy.json<{ ServiceIdentities: unknown }>("GET", "/v1/acl/token/self");
    expect(self.ServiceIdentities).toEqual([{ ServiceName: "api" }]);
    await proxy.text("PUT", "/v1/agent/service/register", {
      ...{ ID: "api-1", Name: "api", Port: 1, Connect: { SidecarService: {} } },
    });
    await proxy.json("GET", "/v1/agent/connect/ca/leaf/api");
    expect(await proxy.status("PUT", "/v1/agent/service/register", { Name: "web" })).toBe(403);
    expect(await proxy.status("GET", "/v1/agent/connect/ca/leaf/web")).toBe(403);
    await nomad.text("PUT", "/v1/agent/service/deregister/api-1");
    await nomad.text("DELETE", `/v1/acl/token/${made.AccessorID}`);
    expect(await proxy.status("GET", "/v1/acl/token/self")).toBe(403);
  });

  test("gets nothing else", async () => {
    expect(await nomad.status("GET", "/v1/kv/vault/core/keyring")).toBe(403);
    expect(await nomad.status("PUT", "/v1/session/create", {})).toBe(403);
    expect(await nomad.status("PUT", "/v1/agent/maintenance?enable=true")).toBe(403);
    expect(await nomad.status("GET", "/v1/operator/raft/configuration")).toBe(403);
  });
});

/** https://doc.traefik.io/traefik/providers/consul-catalog/ and …/consul/ */
describe("Traefik: routes from the catalog and from keys", () => {
  const rules = `
    node_prefix "" { policy = "read" }
    service_prefix "" { policy = "read" }
    service "traefik" { policy = "write" }
    key_prefix "traefik" { policy = "read" }`;
  let traefik: Client;
  let admin: Client;

  beforeAll(async () => {
    traefik = await Client.withRules("traefik", rules);
    admin = new Client(administrator);
    await admin.text("PUT", "/v1/kv/traefik/http/routers/r/rule", "Host(`a`)");
    await admin.text("PUT", "/v1/kv/secret", "hidden");
  });

  async function shop(port: number): Promise<void> {
    const Tags = ["traefik.enable=true", "traefik.http.routers.shop.rule=Host(`shop`)"];
    const service = { ID: "shop-1", Name: "shop", Tags, Port: port };
    await admin.text("PUT", "/v1/agent/service/register", service);
  }

  test("lists services and their instances, and is woken when one changes", async () => {
    await shop(1);
    const services = await eventually(
      async () => {
        const answer = await traefik.ask("GET", "/v1/catalog/services?stale=");
        return "shop" in answer.json<object>() ? answer : false;
      },
      { what: "the service is listed" },
    );
    expect(services.json<Record<string, string[]>>().shop).toContain("traefik.enable=true");
    const path = "/v1/health/service/shop?passing=1";
    const before = await traefik.ask("GET", path);
    const ports = (answer: Answer): number[] =>
      answer.json<{ Service: { Port: number } }[]>().map(({ Service }) => Service.Port);
    expect(ports(before)).toEqual([1]);
    const index = before.headers.get("x-consul-index");
    const woken = traefik.ask("GET", `${path}&index=${index}&wait=20s`);
    await shop(2);
    expect(ports(await woken)).toEqual([2]);
    expect(await traefik.status("GET", "/v1/health/state/any")).toBe(200);
  });

  test("gets roots and a certificate of its own for services in the mesh", async () => {
    const roots = await traefik.json<{ Roots: unknown[] }>("GET", "/v1/agent/connect/ca/roots");
    expect(roots.Roots).toHaveLength(1);
    const leaf = await traefik.json<{ Service: string; CertPEM: string }>(
      ...(["GET", "/v1/agent/connect/ca/leaf/traefik"] as const),
    );
    expect(leaf).toMatchObject({ Service: "traefik" });
    expect(leaf.CertPEM).toContain("BEGIN CERTIFICATE");
    expect(await traefik.status("GET", "/v1/health/connect/shop?passing=1")).toBe(200);
  });

  test("reads its keys, and is woken when one is written", async () => {
    const tree = await traefik.ask("GET", "/v1/kv/traefik?recurse=");
    expect(tree.json<KvEntry[]>().map(({ Key }) => Key)).toEqual(["traefik/http/routers/r/rule"]);
    const index = tree.headers.get("x-consul-index");
    const woken = traefik.json<KvEntry[]>("GET", `/v1/kv/traefik?recurse=&index=${index}&wait=20s`);
    await admin.text("PUT", "/v1/kv/traefik/http/routers/r/service", "shop");
    expect(await woken).toHaveLength(2);
  });

  test("gets nothing else", async () => {
    expect(await traefik.status("GET", "/v1/kv/secret")).toBe(403);
    expect(await traefik.status("PUT", "/v1/kv/traefik/x", "1")).toBe(403);
    expect(await traefik.status("GET", "/v1/agent/connect/ca/leaf/shop")).toBe(403);
    expect(await traefik.status("PUT", "/v1/agent/service/deregister/shop-1")).toBe(403);
    expect(await traefik.status("GET", "/v1/agent/self")).toBe(403);
  });
});
