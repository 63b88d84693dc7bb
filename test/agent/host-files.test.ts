// What an agent makes on its host, and what it says where it cannot.

import {
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";

import { makeDirectory } from "../../src/agent/directory.ts";
import { listening } from "../../src/agent/listening.ts";
import { storePid } from "../../src/agent/pid-file.ts";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "proconsul-host-"));
});
afterEach(() => rmSync(directory, { recursive: true }));

test("a directory is made with those above it, and may be there already", () => {
  const path = join(directory, "a/b/c");
  makeDirectory(path);
  makeDirectory(path);
  expect(statSync(path).isDirectory()).toBe(true);
});

test("a directory that cannot be made ends with one line", () => {
  writeFileSync(join(directory, "file"), "");
  symlinkSync("loop", join(directory, "loop"));
  expect(() => makeDirectory("/proc/nothing/here")).toThrow(
    "mkdir /proc/nothing: no such file or directory",
  );
  expect(() => makeDirectory(join(directory, "file/x"))).toThrow(
    `mkdir ${directory}/file: not a directory`,
  );
  expect(() => makeDirectory(join(directory, "loop/x"))).toThrow(
    `mkdir ${directory}/loop: not a directory`,
  );
});

test("the process id is written, and gone at the end", () => {
  const path = join(directory, "pid");
  const file = storePid(path, 42);
  expect(readFileSync(path, "utf8")).toBe("42");
  file.remove();
  expect(existsSync(path)).toBe(false);
  storePid("", 42).remove();
});

test.each([
  ["/nonexistent/pid", "open /nonexistent/pid: no such file or directory"],
  ["/", "open /: is a directory"],
])("a process id that cannot be written to %s is said in Consul's words", (path, reason) => {
  expect(() => storePid(path, 42)).toThrow(`Could not open pid file: ${reason}`);
});

test("a Unix socket without a folder to be in says so", async () => {
  const address = { host: `unix://${directory}/none/socket`, port: 0, flag: "-http-port" };
  await expect(listening(createServer(), address)).rejects.toThrow(
    `listen unix ${directory}/none/socket: bind: no such file or directory`,
  );
});
