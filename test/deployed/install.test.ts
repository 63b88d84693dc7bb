// The installer that a registry serves, as somebody pastes it; and what it refuses.

import { execFileSync, spawn } from "node:child_process";
import {
  existsSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";

import { newReleaseKey, publicReleaseKey, writeRelease } from "../../src/deploy/release.ts";
import { installScript } from "../../src/install/script.ts";
import { LocalDeployment } from "../support/deployment.ts";
import { isInstalled } from "../support/programs.ts";
import { stopAll, temporaryDirectory } from "../support/proconsul.ts";

const releaseKey = newReleaseKey();
const assets = temporaryDirectory();
const dist = join(temporaryDirectory(), "dist");
const token = "pj1.a-join-token";

let deployment: LocalDeployment;
let prefix: string;

function release(version: string, key = releaseKey): void {
  writeRelease({ dist, directory: assets, version, releaseKey: key });
}

beforeAll(async () => {
  execFileSync(process.execPath, [".ci/build.ts", dist], { stdio: "pipe" });
  release("1.0.0");
  deployment = await LocalDeployment.start({
    assets,
    vars: { INSTALL_KEY: publicReleaseKey(releaseKey) },
  });
}, 120_000);
beforeEach(() => {
  prefix = temporaryDirectory();
});
afterAll(async () => {
  await deployment.stop();
  await stopAll();
});

interface Run {
  code: number | null;
  stdout: string;
  stderr: string;
}

function run(
  command: string,
  args: string[],
  given: { input?: string; env?: NodeJS.ProcessEnv } = {},
): Promise<Run> {
  const child = spawn(command, args, {
    // No terminal, so that nothing is asked.
    detached: true,
    env: {
      ...process.env,
      PATH: `${dirname(process.execPath)}:${process.env["PATH"]}`,
      CURL_CA_BUNDLE: deployment.caFile,
      NODE_EXTRA_CA_CERTS: deployment.caFile,
      PROCONSUL_TOKEN: token,
      ...given.env,
    },
  });
  const result: Run = { code: null, stdout: "", stderr: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => (result.stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (result.stderr += text));
  child.stdin.end(given.input ?? "");
  return new Promise((done) => child.on("close", (code) => done({ ...result, code })));
}

const hasCurl = isInstalled("curl");
const options = ["--prefix"];

function install(...more: string[]): Promise<Run> {
  const line = `curl -fsS ${deployment.url}/install.sh | sh -s -- ${[...options, prefix, ...more].join(" ")}`;
  return run("sh", ["-c", line]);
}

test.runIf(hasCurl)(
  "one pasted line installs the agent, its configuration and the token",
  async () => {
    const { code, stderr } = await install("--no-service", "--node", "host-1");
    expect({ code, stderr }).toMatchObject({ code: 0 });
    const program = join(prefix, "bin/proconsul");
    expect((await run(program, ["version"])).stdout).toContain("Proconsul");
    expect(JSON.parse(readFileSync(join(prefix, "etc/proconsul/agent.json"), "utf8"))).toEqual({
      node_name: "host-1",
      data_dir: join(prefix, "var/proconsul"),
      retry_join: [deployment.url],
      acl: { enabled: true, default_policy: "deny" },
    });
    const tokenFile = join(prefix, "etc/proconsul/agent.env");
    expect(readFileSync(tokenFile, "utf8")).toBe(`PROCONSUL_TOKEN=${token}\n`);
    expect(statSync(tokenFile).mode & 0o777).toBe(0o600);
    expect(stderr).not.toContain(token);
    expect((await run(program, ["validate", join(prefix, "etc/proconsul/agent.json")])).code).toBe(
      0,
    );
  },
);

test.runIf(hasCurl)(
  "again keeps what the host's owner changed, and leaves one release",
  async () => {
    await install("--no-service");
    const config = join(prefix, "etc/proconsul/agent.json");
    writeFileSync(config, '{"data_dir":"/mine"}');
    expect((await install("--no-service")).code).toBe(0);
    expect(readFileSync(config, "utf8")).toBe('{"data_dir":"/mine"}');
    const releases = readdirSync(join(prefix, "lib/proconsul"));
    expect(releases.filter((name) => name.startsWith("1.0.0-"))).toHaveLength(1);
    expect(releases.filter((name) => name.startsWith("."))).toEqual([]);
  },
);

test.runIf(hasCurl)(
  "a release that somebody else signed, or that was changed, is not installed",
  async () => {
    try {
      release("1.0.1", newReleaseKey());
      const foreign = await install("--no-service");
      expect(foreign).toMatchObject({ code: 1 });
      expect(foreign.stderr).toContain("not signed by whoever deployed this registry");
      release("1.0.1");
      const archive = join(assets, "install/proconsul.tgz");
      const bytes = readFileSync(archive);
      bytes[bytes.length - 20] = (bytes.at(-20) ?? 0) ^ 1;
      writeFileSync(archive, bytes);
      const changed = await install("--no-service");
      expect(changed).toMatchObject({ code: 1 });
      expect(changed.stderr).toContain("not the one that was signed");
      writeFileSync(archive, bytes.subarray(0, 1_000));
      expect(await install("--no-service")).toMatchObject({ code: 1 });
      expect(existsSync(join(prefix, "bin/proconsul"))).toBe(false);
      expect(readdirSync(join(prefix, "lib/proconsul"))).toEqual([]);
    } finally {
      release("1.0.0");
    }
  },
);

test.runIf(hasCurl)("a script that arrives in part does nothing, wherever it ends", async () => {
  const script = installScript({ registry: deployment.url, key: publicReleaseKey(releaseKey) });
  const lines = script.split("\n");
  for (let end = 1; end < lines.length - 1; end += 13) {
    await run("sh", ["-s", "--", "--prefix", prefix], { input: lines.slice(0, end).join("\n") });
  }
  const cut = script.slice(0, script.lastIndexOf("main"));
  await run("sh", ["-s", "--", "--prefix", prefix], { input: cut });
  expect(readdirSync(prefix)).toEqual([]);
});

test.runIf(hasCurl)("without a Node that is new enough it says how to get one", async () => {
  const old = temporaryDirectory();
  writeFileSync(join(old, "node"), "#!/bin/sh\nexit 1\n", { mode: 0o755 });
  const line = `curl -fsS ${deployment.url}/install.sh | sh -s -- --prefix ${prefix}`;
  const { code, stderr } = await run("sh", ["-c", line], { env: { PATH: `${old}:/usr/bin:/bin` } });
  if (code === 0)
    return expect(existsSync("/usr/bin/node") || existsSync("/usr/local/bin/node")).toBe(true);
  expect(stderr).toContain("Node.js 22.18 or newer is needed");
});

test.runIf(hasCurl)("wrong options are refused before anything is done", async () => {
  for (const wrong of [["--zap"], ["--node"]]) {
    expect(await install(...wrong)).toMatchObject({ code: 1 });
  }
  expect(readdirSync(prefix)).toEqual([]);
});

test.runIf(hasCurl)(
  "upgrade installs what the registry hands out next, if it is signed by the same",
  async () => {
    await install("--no-service");
    const program = join(prefix, "bin/proconsul");
    const current = (): string => readlinkSync(join(prefix, "lib/proconsul/current"));
    const before = current();
    expect((await run(program, ["upgrade"])).stdout).toBe(`${before} is installed\n`);
    try {
      release("1.1.0", newReleaseKey());
      const foreign = await run(program, ["upgrade"]);
      expect(foreign).toMatchObject({ code: 1 });
      expect(foreign.stderr).toContain("not signed by whoever deployed this registry");
      expect(current()).toBe(before);
      release("1.1.0");
      expect((await run(program, ["upgrade", "-check"])).stdout).toMatch(
        /^1\.1\.0-\w+ can be installed/,
      );
      expect(current()).toBe(before);
      expect(await run(program, ["upgrade"])).toMatchObject({ code: 0 });
      expect(current()).toMatch(/^1\.1\.0-/);
      expect((await run(program, ["version"])).code).toBe(0);
    } finally {
      release("1.0.0");
    }
  },
);

test.runIf(hasCurl)("the script is public, and holds nothing that is not", async () => {
  const { stdout } = await run("curl", ["-fsS", `${deployment.url}/install.sh`]);
  expect(stdout).toContain(deployment.url);
  for (const secret of Object.values(deployment.secrets)) expect(stdout).not.toContain(secret);
});
