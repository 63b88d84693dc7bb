// `npm run verify` against the deployed shape on this machine: what the real network will be asked, too.

import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";

import { LocalDeployment } from "../support/deployment.ts";
import { stopAll } from "../support/proconsul.ts";

const program = fileURLToPath(new URL("../../src/deploy/verify/main.ts", import.meta.url));

let deployment: LocalDeployment;
let token: string;

beforeAll(async () => {
  deployment = await LocalDeployment.start();
  token = await deployment.bootstrap();
});
afterAll(async () => {
  await deployment.stop();
  await stopAll();
});

async function verify(...args: string[]): Promise<{ code: number | null; output: string }> {
  const child = spawn(process.execPath, [program, ...args], {
    env: { ...process.env, ...deployment.env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => (output += text));
  }
  const code = await new Promise<number | null>((closed) => child.on("close", closed));
  return { code, output };
}

test("all is well, and each check says what it saw", { timeout: 120_000 }, async () => {
  const { code, output } = await verify(deployment.url, token);
  console.log(output);
  expect(output).not.toContain("FAIL");
  expect(output).toContain("All is well.");
  expect(code).toBe(0);
});

test("whoever has no right to it sees failures, not success", { timeout: 120_000 }, async () => {
  const { code, output } = await verify("--only", "keys", deployment.url, "not-a-token");
  expect(code).toBe(1);
  expect(output).toContain("FAIL keys, locks, waiting queries: PUT /v1/kv/");
});

test("a registry that is not there, and arguments that are none, are told", async () => {
  const nowhere = await verify("--only", "servers", "https://127.0.0.1:1", "token");
  expect(nowhere).toMatchObject({ code: 1 });
  expect((await verify("ftp://x", "token")).code).toBe(2);
  expect((await verify(deployment.url)).output).toContain("npm run verify");
});
