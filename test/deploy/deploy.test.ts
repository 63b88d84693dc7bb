// Deploying, with everything but Cloudflare itself: what is asked, what is refused, what is kept, what is done once.

import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { experimental_readRawConfig } from "wrangler";

import { compatibilityDate, objectClasses } from "../../src/agent/servers/options.ts";
import { configText, type RawConfig } from "../../src/deploy/config-file.ts";
import { deploy, type Given } from "../../src/deploy/deploy.ts";
import {
  datacenterOf,
  type Deployment,
  DeploymentError,
  parseDeployment,
  regionsOf,
  warningsOf,
  workerName,
} from "../../src/deploy/deployment.ts";
import { KeptFiles } from "../../src/deploy/kept-files.ts";
import { publicReleaseKey } from "../../src/deploy/release.ts";
import type { Upload, Uploader } from "../../src/deploy/wrangler.ts";
import { uploadedIn, Wrangler } from "../../src/deploy/wrangler.ts";

const root = resolve(import.meta.dirname, "../..");
const url = "https://reg.example.workers.dev";
const three = { dc1: { regions: regionsOf("weur,eeur,enam") } };
const nothing: Given = { datacenters: {}, yes: true, dryRun: false };

let directory: string;
beforeEach(() => (directory = mkdtempSync(join(tmpdir(), "proconsul-test-"))));
afterEach(() => rmSync(directory, { recursive: true, force: true }));

/** Cloudflare as wrangler shows it: Workers with secrets. */
class Cloud implements Uploader {
  readonly secrets = new Map<string, Set<string>>();
  readonly uploads: (Upload & { config: Record<string, unknown>; set: object | null })[] = [];
  loggedIn = true;
  logins = 0;
  fails = false;

  account(): Promise<string | null> {
    return Promise.resolve(this.loggedIn ? "me@example.com" : null);
  }

  login(): Promise<void> {
    this.logins += 1;
    this.loggedIn = true;
    return Promise.resolve();
  }

  secretNames(worker: string): Promise<string[]> {
    return Promise.resolve([...(this.secrets.get(worker) ?? [])]);
  }

  upload(upload: Upload): Promise<{ urls: string[]; gzipBytes: number }> {
    const config = JSON.parse(readFileSync(upload.configPath, "utf8")) as { name: string };
    const set =
      upload.secretsPath === null
        ? null
        : (JSON.parse(readFileSync(upload.secretsPath, "utf8")) as object);
    if (this.fails) return Promise.reject(new DeploymentError("wrangler deploy ended with code 1"));
    this.uploads.push({ ...upload, config, set });
    const known = this.secrets.get(config.name) ?? new Set();
    this.secrets.set(config.name, new Set([...known, ...Object.keys(set ?? {})]));
    return Promise.resolve({ urls: [url], gzipBytes: 1 });
  }
}

const minted: Record<string, object> = {
  "/v1/operator/join-token": { Token: "pj1_first" },
  "/v1/acl/policy": {},
  "/v1/acl/token": { SecretID: "reader" },
  "/v1/operator/dns-key": { Path: "/dns-query/pd1_first" },
};

/** The registry that answers at the URL, once its servers have found each other. */
class Answers {
  readonly asked: string[] = [];
  bootstrapped = false;
  leaderlessFor = 2;
  /** A path that is away. */
  away = "";
  #hasPolicy = false;

  readonly fetch = ((input: string, init?: RequestInit) => {
    const path = input.slice(url.length);
    this.asked.push(`${init?.method ?? "GET"} ${path}`);
    return Promise.resolve(this.#answer(path, new Headers(init?.headers)));
  }) as typeof fetch;

  #answer(path: string, headers: Headers): Response {
    if (path === "/v1/status/leader") {
      return new Response(this.leaderlessFor-- > 0 ? '""' : '"240.0.0.1:8300"');
    }
    if (path === this.away) return new Response("No cluster leader", { status: 500 });
    if (path === "/v1/acl/policy") {
      const text = `Invalid Policy: A Policy with Name "dns" already exists`;
      if (this.#hasPolicy) return new Response(text, { status: 500 });
      this.#hasPolicy = true;
    }
    const made = headers.get("x-consul-token") === null ? undefined : minted[path];
    if (made) return Response.json(made);
    if ((headers.get("x-proconsul-secret") ?? "") === "")
      return new Response("no", { status: 403 });
    if (this.bootstrapped) {
      return new Response("Permission denied: ACL bootstrap no longer allowed", { status: 403 });
    }
    this.bootstrapped = true;
    return Response.json({ SecretID: "the-first-token" });
  }
}

function place(cloud: Cloud, answers: Answers, asked: string[] = []) {
  const lines: string[] = [];
  const questions: string[] = [];
  let nowMs = 0;
  return {
    lines,
    questions,
    kept: new KeptFiles(join(directory, "kept")),
    uploader: cloud,
    terminal: {
      interactive: asked.length > 0,
      print: (line: string) => void lines.push(line),
      ask: (question: string) => {
        questions.push(question);
        return Promise.resolve(asked.shift() ?? "");
      },
    },
    base: {
      main: "src/index.ts",
      vars: { DEFAULT_DC: "dc1", OTHER: 1, DATACENTERS: { dc1: { servers: 3, pools: 2 } } },
    },
    root,
    dist: distOf(directory),
    version: "1.2.3",
    fetch: answers.fetch,
    nowMs: () => nowMs,
    sleep: (ms: number) => {
      nowMs += ms;
      return Promise.resolve();
    },
  };
}

/** What a build would make. */
function distOf(parent: string): string {
  const dist = join(parent, "dist");
  mkdirSync(join(dist, "public/ui"), { recursive: true });
  writeFileSync(join(dist, "public/ui/index.html"), "<!doctype html>");
  for (const name of ["proconsul.mjs", "main.mjs", "worker.js"]) {
    writeFileSync(join(dist, name), `// ${name}`);
  }
  return dist;
}

function keptSecrets(): Record<string, string> {
  return JSON.parse(readFileSync(join(directory, "kept/secrets.json"), "utf8")) as never;
}

test("deploys, waits for the leader, makes the first token, and says where everything is", async () => {
  const [cloud, answers] = [new Cloud(), new Answers()];
  const around = place(cloud, answers);
  await deploy({ ...nothing, name: "reg", datacenters: three }, around);
  expect(cloud.uploads).toHaveLength(1);
  const [{ config, set, secretsPath } = {}] = cloud.uploads;
  expect(Object.keys(set ?? {})).toEqual(["DEPLOY_SECRET", "KEY_SECRET"]);
  expect(config).toMatchObject({ name: "reg", workers_dev: true, preview_urls: false });
  expect(config?.["vars"]).toEqual({
    ...{ DEFAULT_DC: "dc1", OTHER: 1 },
    INSTALL_KEY: publicReleaseKey(keptSecrets()["RELEASE_KEY"] ?? ""),
    DATACENTERS: { dc1: { servers: 3, pools: 2, hints: ["weur", "eeur", "enam"] } },
  });
  expect(answers.asked).toEqual([
    ...["GET /v1/status/leader", "GET /v1/status/leader", "GET /v1/status/leader"],
    "PUT /v1/acl/bootstrap",
    ...["PUT /v1/operator/join-token", "PUT /v1/acl/policy", "PUT /v1/acl/token"],
    "PUT /v1/operator/dns-key",
  ]);
  expect(keptSecrets()).toMatchObject({
    ...{ MANAGEMENT_TOKEN: "the-first-token", JOIN_TOKEN: "pj1_first" },
    DNS_PATH: "/dns-query/pd1_first",
  });
  // Secrets are for their owner, only in one file, and never shown.
  expect(statSync(join(directory, "kept/secrets.json")).mode & 0o777).toBe(0o600);
  expect(readdirSync(join(directory, "kept"))).not.toContain(secretsPath?.split("/").at(-1));
  const shown = around.lines.join("\n");
  for (const secret of Object.values(keptSecrets())) expect(shown).not.toContain(secret);
  expect(shown).toContain(`Registry          ${url}`);
});

test("what was interrupted in the middle of what is done once is finished the next time", async () => {
  const [cloud, answers] = [new Cloud(), new Answers()];
  answers.away = "/v1/operator/dns-key";
  const deploying = deploy({ ...nothing, name: "reg", datacenters: three }, place(cloud, answers));
  await expect(deploying).rejects.toThrow("PUT /v1/operator/dns-key: 500 No cluster leader");
  expect(keptSecrets()).not.toHaveProperty("DNS_PATH");
  answers.away = "";
  await deploy(nothing, place(cloud, answers));
  expect(keptSecrets()).toMatchObject({
    ...{ MANAGEMENT_TOKEN: "the-first-token", JOIN_TOKEN: "pj1_first" },
    DNS_PATH: "/dns-query/pd1_first",
  });
});

test("again is an upgrade: the same name, regions and secrets, and nothing is begun twice", async () => {
  const [cloud, answers] = [new Cloud(), new Answers()];
  await deploy({ ...nothing, name: "reg", datacenters: three }, place(cloud, answers));
  const before = keptSecrets();
  const around = place(cloud, answers);
  await deploy(nothing, around);
  expect(cloud.uploads.map(({ set }) => set)).toEqual([expect.anything(), null]);
  expect(cloud.uploads[1]?.config).toEqual(cloud.uploads[0]?.config);
  expect(keptSecrets()).toEqual(before);
  expect(answers.asked.filter((path) => path.includes("bootstrap"))).toHaveLength(1);
  expect(around.lines.join("\n")).toContain("Upgrades the Worker reg");
});

test("interrupted by a failure of the upload, the next run sets the same secrets", async () => {
  const [cloud, answers] = [new Cloud(), new Answers()];
  cloud.fails = true;
  const first = { ...nothing, name: "reg", datacenters: three };
  await expect(deploy(first, place(cloud, answers))).rejects.toThrow("ended with code 1");
  const kept = keptSecrets();
  cloud.fails = false;
  await deploy(nothing, place(cloud, answers));
  const { RELEASE_KEY: releaseKey, ...toSet } = kept;
  expect(releaseKey).toBeDefined();
  expect(cloud.uploads[0]?.set).toEqual(toSet);
});

test("secrets that the Worker has and nobody here knows stay as they are", async () => {
  const [cloud, answers] = [new Cloud(), new Answers()];
  cloud.secrets.set("reg", new Set(["DEPLOY_SECRET", "KEY_SECRET"]));
  const around = place(cloud, answers);
  await deploy({ ...nothing, name: "reg", datacenters: three }, around);
  expect(cloud.uploads[0]?.set).toBeNull();
  expect(answers.asked).not.toContain("PUT /v1/acl/bootstrap");
  expect(around.lines).toContain("KEY_SECRET is set already, and not known here: it stays");
});

test("a registry that finds no leader is told, with what it last said", async () => {
  const answers = new Answers();
  answers.leaderlessFor = 1_000;
  const given = { ...nothing, name: "reg", datacenters: three };
  await expect(deploy(given, place(new Cloud(), answers))).rejects.toThrow(
    `${url} has no leader after two minutes: 200 ""`,
  );
});

test("asks for what is missing, again where the answer cannot be used, and not for more", async () => {
  const [cloud, answers] = [new Cloud(), new Answers()];
  cloud.loggedIn = false;
  const around = place(cloud, answers, ["Reg!", "reg", "", "weur,mars", "weur,eeur,apac", "yes"]);
  await deploy({ ...nothing, yes: false }, around);
  expect(cloud.logins).toBe(1);
  expect(around.questions).toEqual([
    ...["Name of the Worker [proconsul]: ", "Name of the Worker [proconsul]: "],
    "Name of the first datacenter [dc1]: ",
    ...["Where its servers live [weur,eeur,enam]: ", "Where its servers live [weur,eeur,enam]: "],
    "Deploy this? [y/N]: ",
  ]);
  expect(cloud.uploads[0]?.config["vars"]).toMatchObject({
    DATACENTERS: { dc1: { hints: ["weur", "eeur", "apac"] } },
  });
});

test("nothing is uploaded without a yes, nor where nobody can be asked", async () => {
  const cloud = new Cloud();
  const given = { ...nothing, yes: false, name: "reg", datacenters: three };
  await expect(deploy(given, place(cloud, new Answers(), ["no"]))).rejects.toThrow(
    "nothing was deployed",
  );
  await expect(deploy(given, place(cloud, new Answers()))).rejects.toThrow("give --yes");
  await expect(deploy(nothing, place(cloud, new Answers()))).rejects.toThrow("give --name NAME");
  cloud.loggedIn = false;
  await expect(deploy(nothing, place(cloud, new Answers()))).rejects.toThrow(
    "CLOUDFLARE_API_TOKEN",
  );
  expect(cloud.uploads).toEqual([]);
});

test("a datacenter may be added and may grow, and never shrinks or goes", async () => {
  const [cloud, answers] = [new Cloud(), new Answers()];
  await deploy({ ...nothing, name: "reg", datacenters: three }, place(cloud, answers));
  const dc2 = { dc2: { regions: regionsOf("apac") } };
  await deploy({ ...nothing, datacenters: dc2 }, place(cloud, answers));
  expect(cloud.uploads[1]?.config["vars"]).toMatchObject({
    ...{ DEFAULT_DC: "dc1", OTHER: 1 },
    DATACENTERS: { dc1: { servers: 3 }, dc2: { servers: 1, hints: ["apac"] } },
  });
  const less = { dc1: { regions: regionsOf("weur") } };
  await expect(deploy({ ...nothing, datacenters: less }, place(cloud, answers))).rejects.toThrow(
    "dc1 has 3 servers, and cannot have fewer",
  );
  await expect(deploy({ ...nothing, name: "other" }, place(cloud, answers))).rejects.toThrow(
    "this directory deploys reg",
  );
});

test("what is kept and cannot be read is not replaced", async () => {
  const around = place(new Cloud(), new Answers());
  writeFileSync(join(directory, "kept/secrets.json"), "{");
  const given = { ...nothing, name: "reg", datacenters: three };
  await expect(deploy(given, around)).rejects.toThrow("cannot be read");
  writeFileSync(join(directory, "kept/deployment.json"), "[]");
  await expect(deploy(given, around)).rejects.toThrow("lacks name or datacenters");
});

test(
  "a dry run bundles what would be uploaded, with the real wrangler, and asks nobody",
  { timeout: 60_000 },
  async () => {
    const { rawConfig } = experimental_readRawConfig({ config: join(root, "wrangler.toml") });
    const real = { uploader: new Wrangler(root), base: rawConfig as RawConfig };
    const around = { ...place(new Cloud(), new Answers()), ...real };
    await deploy({ ...nothing, dryRun: true, name: "reg", datacenters: three }, around);
    expect(around.lines.at(-1)).toMatch(/^Nothing was uploaded. All is ready, \d+ kB compressed.$/);
    expect(readdirSync(join(directory, "kept")).toSorted()).not.toContain("secrets.json");
  },
);

describe("what cannot be deployed is refused", () => {
  test.each(["", "1reg", "reg-", "a".repeat(64), "Reg", "re.g", "re g"])("name %j", (name) => {
    expect(() => workerName(name)).toThrow(DeploymentError);
  });

  test.each(["", "weur,", "mars", "weur,eeur", "weur,weur,weur,weur", "__proto__"])(
    "regions %j",
    (regions) => expect(() => regionsOf(regions)).toThrow(DeploymentError),
  );

  test.each(["dc1", "=weur", "dc1=weur=eeur", "d c=weur", "dc1="])("datacenter %j", (given) => {
    expect(() => datacenterOf(given)).toThrow(DeploymentError);
  });

  test.each(["", "{}", '{"name":"a"}', '{"name":"a","datacenters":{"dc1":{}}}', "[]", "null"])(
    "kept %j",
    (text) => expect(() => parseDeployment(text)).toThrow(DeploymentError),
  );
});

test("says when losing one region stops a datacenter", () => {
  const of = (regions: string): string[] => {
    const deployment: Deployment = {
      ...{ name: "a", domain: "" },
      datacenters: { dc1: { regions: regionsOf(regions) } },
    };
    return warningsOf(deployment);
  };
  expect(of("weur,eeur,enam")).toEqual([]);
  expect(of("weur,weur,enam")).toEqual(["without western Europe, dc1 cannot write"]);
  expect(of("weur,weur,enam,enam,apac")).toEqual([]);
  expect(of("weur")).toEqual(["dc1 has one server: it is away whenever that is"]);
});

test("a host name of one's own replaces the address of workers.dev", () => {
  const deployment = { name: "reg", domain: "registry.example.com", datacenters: three };
  const parts = { base: {}, deployment, pathTo: "..", assets: "public", installKey: "k" };
  expect(JSON.parse(configText(parts))).toMatchObject({
    ...{ workers_dev: false, main: "../src/index.ts" },
    routes: [{ pattern: "registry.example.com", custom_domain: true }],
  });
});

test("deployments, tests and hosts run the same runtime, with the same objects", () => {
  const { rawConfig } = experimental_readRawConfig({ config: join(root, "wrangler.toml") });
  expect(rawConfig.compatibility_date).toBe(compatibilityDate);
  const bound = (bindings: { name: string; class_name: string }[] = []): object =>
    Object.fromEntries(bindings.map(({ name, class_name: type }) => [name, type]));
  expect(bound(rawConfig.durable_objects?.bindings as never)).toEqual(objectClasses);
  expect(bound(rawConfig.env?.["preview"]?.durable_objects?.bindings as never)).toEqual(
    objectClasses,
  );
  const migrated = (rawConfig.migrations as { new_sqlite_classes?: string[] }[]).flatMap(
    (each) => each.new_sqlite_classes ?? [],
  );
  expect(migrated.toSorted()).toEqual(Object.values(objectClasses).toSorted());
});

test("reads what wrangler writes about a deployment", () => {
  const lines = [
    { type: "wrangler-session", version: 1 },
    { type: "deploy", targets: ["https://a.b.workers.dev", "c.example (custom domain)"] },
  ];
  const text = lines.map((line) => `${JSON.stringify(line)}\n`).join("");
  expect(uploadedIn(text).urls).toEqual(["https://a.b.workers.dev", "https://c.example"]);
});
