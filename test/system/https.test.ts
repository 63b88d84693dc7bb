// The HTTPS API as people use it: files of `tls`, both command lines, and a certificate that changes under load.

import { spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { Agent, request } from "node:https";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { consulBinary } from "../support/consul.ts";
import { eventually } from "../support/eventually.ts";
import { freePort, freePorts } from "../support/free-ports.ts";
import { mainFile, Proconsul, stopAll, temporaryDirectory } from "../support/proconsul.ts";
import { type Result, run } from "../support/programs.ts";

const consul = consulBinary();
let folder: string;
let agent: Proconsul;
let https: number;
const file = (name: string): string => join(folder, name);

async function tls(...args: string[]): Promise<void> {
  const result = await run(process.execPath, [mainFile, "tls", ...args], { cwd: folder });
  expect(result).toMatchObject({ code: 0, stderr: "" });
}

function take(name: string): void {
  writeFileSync(file("now.pem"), readFileSync(file(`${name}.pem`)));
  writeFileSync(file("now-key.pem"), readFileSync(file(`${name}-key.pem`)));
}

beforeAll(async () => {
  folder = temporaryDirectory();
  await tls("ca", "create");
  await tls("cert", "create", "-client");
  await tls("cert", "create", "-client");
  await tls("cert", "create", "-cli");
  await tls("cert", "create", "-server");
  take("dc1-client-consul-0");
  https = await freePort();
  agent = await Proconsul.start({
    args: ["-dev", "-https-port", `${https}`],
    config: {
      ca_file: file("consul-agent-ca.pem"),
      cert_file: file("now.pem"),
      key_file: file("now-key.pem"),
      verify_incoming_https: true,
    },
  });
});
afterAll(stopAll);

const shown = (): string[] =>
  ["-client-cert", file("dc1-cli-consul-0.pem")].concat([
    "-client-key",
    file("dc1-cli-consul-0-key.pem"),
  ]);
const trusting = (): string[] => ["-ca-file", file("consul-agent-ca.pem")];

describe.each([
  ["this", [process.execPath, mainFile]],
  ...(consul === null ? [] : [["the real", [consul]] as const]),
] as const)("%s command line", (_name, program) => {
  async function get(args: string[], env: NodeJS.ProcessEnv = {}): Promise<Result> {
    const [file = "", ...first] = program;
    const address = ["-http-addr", `https://localhost:${https}`];
    return await run(file, [...first, "catalog", "datacenters", ...address, ...args], { env });
  }

  test("is answered with a certificate, by flags and by the environment", async () => {
    const answer = { code: 0, stdout: "dc1\n", stderr: "" };
    expect(await get([...trusting(), ...shown()])).toEqual(answer);
    const env = {
      CONSUL_CACERT: file("consul-agent-ca.pem"),
      CONSUL_CLIENT_CERT: file("dc1-cli-consul-0.pem"),
      CONSUL_CLIENT_KEY: file("dc1-cli-consul-0-key.pem"),
      CONSUL_TLS_SERVER_NAME: "client.dc1.consul",
    };
    expect(await get([], env)).toEqual(answer);
  });

  test("is refused without one, and says what it does not trust", async () => {
    const bare = await get(trusting());
    expect(bare.code).toBe(1);
    expect(bare.stderr).toContain("remote error: tls: certificate required");
    const stranger = await get(shown());
    expect(stranger.code).toBe(1);
    expect(stranger.stderr).toContain("x509: certificate signed by unknown authority");
    const misnamed = await get([...trusting(), ...shown(), "-tls-server-name", "other"]);
    expect(misnamed.code).toBe(1);
    expect(misnamed.stderr).toMatch(/x509: certificate is valid for .*, not other$/m);
  });
});

test.runIf(consul !== null)(
  "the real Consul serves with these files, and this command line asks it",
  async () => {
    const [port = 0, server = 0, lan = 0] = await freePorts(3);
    const config = {
      ...{ ca_file: file("consul-agent-ca.pem"), cert_file: file("dc1-server-consul-0.pem") },
      ...{ key_file: file("dc1-server-consul-0-key.pem"), ports: { https: port } },
      ...{ verify_incoming: true, verify_outgoing: true, verify_server_hostname: true },
    };
    writeFileSync(file("real.json"), JSON.stringify(config));
    const child = spawn(
      consul ?? "",
      [
        ...["agent", "-dev", "-bind", "127.0.0.1", "-config-file", file("real.json")],
        ...["-http-port", "-1", "-dns-port", "-1", "-grpc-port", "-1", "-serf-wan-port", "-1"],
        ...["-server-port", `${server}`, "-serf-lan-port", `${lan}`],
      ],
      { stdio: "ignore" },
    );
    try {
      const address = ["-http-addr", `https://localhost:${port}`, ...trusting(), ...shown()];
      const members = async (): Promise<string> =>
        (await run(process.execPath, [mainFile, "members", ...address])).stdout;
      await eventually(async () => /alive +server/.test(await members()), {
        ...{ what: "the real one lists itself", limitMs: 20_000 },
      });
    } finally {
      child.kill("SIGKILL");
    }
  },
);

test("certificates change by SIGHUP and by the API, with no failed request", async () => {
  const connections = new Agent({ keepAlive: true, maxSockets: 2 });
  const options = {
    ...{ host: "localhost", port: https, path: "/v1/status/leader" },
    ca: readFileSync(file("consul-agent-ca.pem")),
    cert: readFileSync(file("dc1-cli-consul-0.pem")),
    key: readFileSync(file("dc1-cli-consul-0-key.pem")),
  };
  const ask = async (pool: Agent | false): Promise<number> =>
    await new Promise((resolve, reject) => {
      const call = request({ ...options, agent: pool }, (answer) => {
        answer.resume().on("end", () => resolve(answer.statusCode ?? 0));
      });
      call.on("error", reject);
      call.end();
    });
  const under = { going: true };
  let asked = 0;
  const load = [connections, false as const].map(async (pool) => {
    while (under.going) {
      expect(await ask(pool)).toBe(200);
      asked++;
    }
  });
  const reloads = (): number => agent.output.split("Reloaded configuration").length - 1;
  for (const [at, name] of ["dc1-client-consul-1", "dc1-client-consul-0"].entries()) {
    const [before, requests] = [reloads(), asked];
    take(name);
    if (at === 0) process.kill(agent.pid, "SIGHUP");
    else expect((await agent.put("/v1/agent/reload")).status).toBe(200);
    const over = () => reloads() > before && asked > requests + 20;
    await eventually(over, { what: "it reloads while requests go on" });
  }
  under.going = false;
  await Promise.all(load);
  connections.destroy();
});

test("files that cannot be used are told, and the agent goes on", async () => {
  writeFileSync(file("now-key.pem"), "no key");
  const answer = await agent.put("/v1/agent/reload");
  expect([answer.status, answer.text]).toEqual([
    500,
    "Failed reloading tls configuration: Failed to load cert/key pair: " +
      "tls: failed to find any PEM data in key input",
  ]);
  take("dc1-client-consul-0");
});

test("who is refused is logged once", () => {
  const lines = agent.output.split("refused a TLS connection").length - 1;
  expect(lines).toBe(1);
  expect(agent.output).toMatch(/refused a TLS connection: from=\S+ reason="the client shows no/);
});

test("verify_incoming_https without an authority does not start", async () => {
  const bad = await Proconsul.spawn({ args: ["-dev"], config: { verify_incoming_https: true } });
  expect((await bad.exited).code).toBe(1);
  expect(bad.output).toContain("VerifyIncoming set but no CA certificates were provided");
});
