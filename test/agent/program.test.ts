// Programs of checks and watches, run for real.

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";

import { runProgram } from "../../src/agent/program.ts";
import { eventually } from "../support/eventually.ts";

test("one that gets a text reads it to the end; one that gets none has nothing to read", async () => {
  const options = { outputBytesMax: 100, signal: new AbortController().signal };
  const given = await runProgram(["cat"], { ...options, input: "a text" });
  expect(given).toEqual({ code: 0, signal: null, output: "a text" });
  expect((await runProgram(["cat"], options)).output).toBe("");
});

test("one that ends without reading what it is given is no trouble", async () => {
  const { signal } = new AbortController();
  const input = "x".repeat(1_000_000);
  expect((await runProgram(["true"], { outputBytesMax: 100, signal, input })).code).toBe(0);
});

test("one that cannot be started is refused with Go's words", async () => {
  const { signal } = new AbortController();
  const run = async (program: string) => await runProgram([program], { outputBytesMax: 1, signal });
  await expect(run("no-such-program")).rejects.toThrow(
    'exec: "no-such-program": executable file not found in $PATH',
  );
  await expect(run("/nowhere/a")).rejects.toThrow(
    "fork/exec /nowhere/a: no such file or directory",
  );
  await expect(run("/etc/passwd")).rejects.toThrow("fork/exec /etc/passwd: permission denied");
});

test("an abort waits for nothing, though what left the group holds the output open", async () => {
  const folder = mkdtempSync(join(tmpdir(), "proconsul-program-"));
  const file = join(folder, "pid");
  const stop = new AbortController();
  const script = `setsid sh -c 'echo $$ > ${file}; exec sleep 300' & wait`;
  const running = runProgram(["sh", "-c", script], { outputBytesMax: 100, signal: stop.signal });
  const pid = await eventually(() => Number(readFileSync(file, "utf8")) || null, {
    what: "its pid",
  });
  stop.abort();
  expect((await running).signal).toBe("SIGKILL");
  process.kill(pid, "SIGKILL");
  rmSync(folder, { recursive: true });
});
