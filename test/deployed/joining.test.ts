// Hosts join a deployment over TLS: with a join token the first time, with a token of their own afterwards; through a
// proxy where the network has one; and whoever is not let in says why.

import { createServer, type Server } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";

import { LocalDeployment } from "../support/deployment.ts";
import { askTcp, dnsQuestion, framed, rcodeOf } from "../support/dns-wire.ts";
import { eventually } from "../support/eventually.ts";
import { Proconsul, stopAll, temporaryDirectory } from "../support/proconsul.ts";
import { endTogether } from "../support/sockets.ts";

let deployment: LocalDeployment;
let management: string;

beforeAll(async () => {
  deployment = await LocalDeployment.start();
  management = await deployment.bootstrap();
});
afterAll(async () => {
  await stopAll();
  await deployment.stop();
});

async function mint(body: object = {}): Promise<{ AccessorID: string; Token: string }> {
  const ask = { method: "PUT", body, token: management };
  return (await deployment.ask("/v1/operator/join-token", ask)).json();
}

interface Host {
  name: string;
  token?: string;
  dataDir?: string;
  env?: NodeJS.ProcessEnv;
  config?: Record<string, unknown>;
}

async function host({ name, token, dataDir, env, config }: Host): Promise<Proconsul> {
  return await Proconsul.spawn({
    args: [
      "-node",
      name,
      "-data-dir",
      dataDir ?? temporaryDirectory(),
      "-retry-join",
      deployment.url,
    ],
    config: { ca_file: deployment.caFile, retry_interval: "1s", ...config },
    env: { PROCONSUL_TOKEN: token ?? "", ...env },
  });
}

async function isMember(name: string): Promise<boolean> {
  const answer = await deployment.ask(`/v1/health/node/${name}`, { token: management });
  const checks = answer.json<{ CheckID: string; Status: string }[]>();
  return checks.some(({ CheckID, Status }) => CheckID === "serfHealth" && Status === "passing");
}

async function joined(name: string, agent: Proconsul): Promise<void> {
  await eventually(() => isMember(name), { what: `${name} is a member`, limitMs: 20_000 }).catch(
    (failure: Error) => {
      failure.message += `\n${agent.output}`;
      throw failure;
    },
  );
}

async function says(agent: Proconsul, text: string): Promise<void> {
  await eventually(() => Promise.resolve(agent.output.includes(text)), {
    what: `the agent says ${text}`,
    limitMs: 20_000,
  }).catch((failure: Error) => {
    failure.message += `\n${agent.output}`;
    throw failure;
  });
}

test(
  "a join token lets a host in; its own token does afterwards, when the other was revoked",
  { timeout: 60_000 },
  async () => {
    const { Token: token, AccessorID: accessor } = await mint({ Nodes: ["host-*"] });
    const dataDir = temporaryDirectory();
    const first = await host({ name: "host-1", token, dataDir });
    await joined("host-1", first);
    const kept = join(dataDir, "node-credential.json");
    expect(statSync(kept).mode & 0o777).toBe(0o600);
    const own = (JSON.parse(readFileSync(kept, "utf8")) as { token: string }).token;
    for (const secret of [token, own]) expect(first.output).not.toContain(secret);
    expect(readFileSync(kept, "utf8")).not.toContain(token);
    await first.stop();
    await deployment.ask(`/v1/operator/join-token/${accessor}`, {
      method: "DELETE",
      token: management,
    });
    const again = await host({ name: "host-1", dataDir });
    await joined("host-1", again);
    expect(again.output).not.toContain("joined the registry");
    const answer = await again.get("/v1/status/leader");
    expect(answer.text).toContain("240.0.0.");
    await again.stop();
  },
);

test("whoever is not let in says why, and not at full speed", { timeout: 60_000 }, async () => {
  const revoked = await mint();
  const path = `/v1/operator/join-token/${revoked.AccessorID}`;
  await deployment.ask(path, { method: "DELETE", token: management });
  const limited = await mint({ Nodes: ["db-*"] });
  for (const [name, token, why] of [
    ["stranger", "", "an agent joins with a join token"],
    ["forged", "pj1_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "the join token is not of this registry"],
    ["late", revoked.Token, "the join token was revoked"],
    ["web-1", limited.Token, "the join token is not for a node named"],
  ] as const) {
    const agent = await host({ name, token });
    await says(agent, why);
    expect(agent.output.split(why).length - 1).toBeLessThan(5);
    await agent.stop();
    expect(await isMember(name)).toBe(false);
  }
});

test(
  "a host registers a service with a token that may, and others find it by DNS",
  { timeout: 60_000 },
  async () => {
    await deployment.ask("/v1/acl/policy", {
      ...{ method: "PUT", token: management },
      body: { Name: "web", Rules: 'service_prefix "web" { policy = "write" }' },
    });
    const { Token: token } = await mint({ Policies: [{ Name: "web" }] });
    const agent = await host({ name: "web-1", token });
    await joined("web-1", agent);
    // The agent's own grants carry what its services need.
    await agent.put("/v1/agent/service/register", { Name: "web", Port: 80 });
    await eventually(
      async () => {
        const answer = await deployment.ask("/v1/health/service/web?passing", {
          token: management,
        });
        return answer.json<unknown[]>().length === 1;
      },
      { what: "the service is found", limitMs: 15_000 },
    );
    const key = (
      await deployment.ask("/v1/operator/dns-key", { method: "PUT", token: management })
    ).json<{ Path: string }>();
    const [heard] = await askTcp(agent.ports.dns, framed(dnsQuestion(7, "web.service.consul")), 7);
    expect(heard && rcodeOf(heard)).toBe(0);
    const dns = await deployment.ask(`${key.Path}?name=web.service.consul&type=SRV`);
    expect(dns.json<{ Answer: unknown[] }>().Answer).toHaveLength(1);
    expect(dns.headers.get("cache-control")).toMatch(/private|no-store/);
    expect(
      (await deployment.ask("/dns-query/pd1_AAAA?name=web.service.consul&type=A")).status,
    ).toBe(403);
    await agent.stop();
  },
);

test(
  "a node whose token is deleted is cut off at once, and stays out",
  { timeout: 60_000 },
  async () => {
    const { Token: token } = await mint();
    const dataDir = temporaryDirectory();
    const agent = await host({ name: "gone", token, dataDir });
    await joined("gone", agent);
    const again = await host({ name: "other", token });
    await joined("other", again);
    const listed = await deployment.ask("/v1/acl/tokens", { token: management });
    const own = listed
      .json<{ AccessorID: string; Description: string }[]>()
      .find(({ Description }) => Description.startsWith("Node gone "));
    // The join token would let it in again.
    await agent.stop();
    const alone = await host({ name: "gone", dataDir });
    await joined("gone", alone);
    await deployment.ask(`/v1/acl/token/${own?.AccessorID}`, {
      method: "DELETE",
      token: management,
    });
    await says(alone, "this token was revoked");
    await says(alone, "its token was revoked");
    await eventually(async () => !(await isMember("gone")), {
      what: "it is no member",
      limitMs: 25_000,
    });
    expect(await isMember("other")).toBe(true);
    await Promise.all([alone.stop(), again.stop()]);
  },
);

/** A proxy that takes CONNECT only. */
function proxy(): Promise<{ server: Server; port: number; asked: string[] }> {
  const asked: string[] = [];
  const server = createServer((_request, response) => response.writeHead(405).end());
  server.on("connect", (request, socket: Socket) => {
    asked.push(request.url ?? "");
    const [name = "", port = ""] = (request.url ?? "").split(":");
    const upstream = connect(Number(port), name, () => {
      socket.write("HTTP/1.1 200 Connection established\r\n\r\n");
      upstream.pipe(socket).pipe(upstream);
    });
    endTogether(socket, upstream);
  });
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => {
      resolve({ server, asked, port: (server.address() as AddressInfo).port });
    });
  });
}

test("through the proxy of the network", { timeout: 60_000 }, async () => {
  const { server, port, asked } = await proxy();
  const { Token: token } = await mint();
  const agent = await host({
    ...{ name: "behind", token },
    env: { HTTPS_PROXY: `http://127.0.0.1:${port}`, NO_PROXY: "" },
  });
  await joined("behind", agent);
  // Joining, the link, and the socket to the pool.
  expect(asked.length).toBeGreaterThanOrEqual(3);
  await agent.stop();
  server.close();
});

test("a certificate that nobody trusts is not believed", { timeout: 60_000 }, async () => {
  const { Token: token } = await mint();
  const agent = await host({ name: "careful", token, config: { ca_file: "" } });
  await says(agent, "unable to verify the first certificate");
  expect(await isMember("careful")).toBe(false);
  await agent.stop();
});
