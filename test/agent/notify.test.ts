// What systemd is told. Its program is one of the test, because Node cannot listen for datagrams at a path.

import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";

import { notify } from "../../src/agent/notify.ts";

let directory: string;
let warnings: unknown[];
const log = { warn: (...said: unknown[]): void => void warnings.push(said) };

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "proconsul-notify-"));
  warnings = [];
});
afterEach(() => rmSync(directory, { recursive: true }));

function program(script: string): void {
  const path = join(directory, "systemd-notify");
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
}

const environment = (): Record<string, string> => ({
  NOTIFY_SOCKET: "/run/notify",
  PATH: `${directory}:/bin:/usr/bin`,
});

test("the state is told for this process, at systemd's socket", async () => {
  program(`echo "$NOTIFY_SOCKET $*" >> ${directory}/told`);
  await notify("READY=1", log, environment());
  await notify("STOPPING=1", log, environment());
  expect(readFileSync(join(directory, "told"), "utf8")).toBe(
    `/run/notify --pid=${process.pid} READY=1\n/run/notify --pid=${process.pid} STOPPING=1\n`,
  );
  expect(warnings).toEqual([]);
});

test("nobody is told where nobody waits", async () => {
  program(`touch ${directory}/told; exit 1`);
  await notify("READY=1", log, { PATH: directory });
  expect(warnings).toEqual([]);
});

test("what went wrong is one line in the log", async () => {
  await notify("READY=1", log, { NOTIFY_SOCKET: "/run/notify", PATH: directory });
  const error = "the program systemd-notify is not installed";
  expect(warnings).toEqual([["agent", "cannot notify systemd", { state: "READY=1", error }]]);
});
