// One agent for one data directory, whatever becomes of the one before.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";

import { lockDataDirectory } from "../../src/agent/data-lock.ts";

let directory: string;
const closers: (() => void)[] = [];
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "proconsul-lock-"));
});
afterEach(() => {
  for (const close of closers.splice(0)) close();
  rmSync(directory, { recursive: true });
});

// It keeps nothing of the lock, as an agent that runs for months and is only waiting.
const holderCode = `
  import { lockDataDirectory } from ${JSON.stringify(join(process.cwd(), "src/agent/data-lock.ts"))};
  lockDataDirectory(process.argv[1]);
  globalThis.gc();
  console.log("locked");
  setInterval(() => undefined, 1_000);
`;

test("a second holder is refused with the pid of the first, and let in once that was killed", async () => {
  const args = ["--expose-gc", "--input-type=module-typescript", "-e", holderCode, directory];
  const holder = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  const exited = once(holder, "exit");
  closers.push(() => holder.kill("SIGKILL"));
  await once(holder.stdout, "data");
  expect(() => lockDataDirectory(directory)).toThrow(
    `data_dir ${directory} is in use by another agent (process ${holder.pid})`,
  );
  holder.kill("SIGKILL");
  await exited;
  lockDataDirectory(directory).release();
});

test("who releases it lets the next one in", () => {
  const first = lockDataDirectory(directory);
  expect(() => lockDataDirectory(directory)).toThrow(`process ${process.pid}`);
  first.release();
  lockDataDirectory(directory).release();
});

test("a directory that cannot be is said in one line", () => {
  const file = join(directory, "file");
  writeFileSync(file, "");
  expect(() => lockDataDirectory(join(file, "below"))).toThrow(
    /^data_dir .* cannot be used: mkdir .*file: not a directory$/,
  );
});
