// `snapshot save`, `inspect` and `restore`: a state that is saved comes back, files are whole or not there, and what is
// wrong with one is said in Consul's words. Where there is a real Consul, its command reads our files.

import { execFile } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { afterAll, beforeAll, expect, test } from "vitest";

import { consulBinary } from "../support/consul.ts";
import { Proconsul, stopAll, temporaryDirectory } from "../support/proconsul.ts";

const main = join(import.meta.dirname, "../../src/cli/main.ts");
const binary = consulBinary();
let agent: Proconsul;
let directory: string;

beforeAll(async () => {
  agent = await Proconsul.start({ args: ["-dev"] });
  directory = temporaryDirectory();
});

afterAll(stopAll);

interface Printed {
  code: number;
  text: string;
}

function run(program: readonly [string, ...string[]], args: readonly string[]): Promise<Printed> {
  const [file, ...first] = program;
  const env = { ...process.env, CONSUL_HTTP_ADDR: agent.url };
  return new Promise((resolve) => {
    execFile(file, [...first, ...args], { cwd: directory, env }, (failure, stdout, stderr) => {
      resolve({ code: failure ? Number(failure.code) : 0, text: stdout + stderr });
    });
  });
}

function snapshot(...args: string[]): Promise<Printed> {
  return run([process.execPath, main, "snapshot"], args);
}

test("what is saved is inspected, and comes back whole", async () => {
  for (let n = 0; n < 300; n++) await agent.put(`/v1/kv/before/${n}`, `value ${n}`);
  const saved = await snapshot("save", "backup.snap");
  const [, index = ""] = /^Saved and verified snapshot to index (\d+)\n$/.exec(saved.text) ?? [];
  expect(saved.code).toBe(0);
  expect(existsSync(join(directory, "backup.snap.unverified"))).toBe(false);
  const inspected = await snapshot("inspect", "backup.snap");
  expect(inspected.text).toMatch(
    new RegExp(
      String.raw`^ID {11}\d+-${index}-\d+\nSize {9}\d+\nIndex {8}${index}\nTerm {9}\d+\nVersion {6}1\n\n$`,
    ),
  );
  await agent.put("/v1/kv/before/7", "changed");
  await agent.put("/v1/kv/after", "new");
  expect(await snapshot("restore", "backup.snap")).toEqual({
    code: 0,
    text: "Restored snapshot\n",
  });
  expect((await agent.get("/v1/kv/before/7?raw")).text).toBe("value 7");
  expect((await agent.get("/v1/kv/after")).status).toBe(404);
});

test.runIf(binary)("the real command reads our file, and restores it here", async () => {
  const consul = [binary ?? "", "snapshot"] as const;
  const ours = await snapshot("inspect", "backup.snap");
  expect(await run(consul, ["inspect", "backup.snap"])).toEqual(ours);
  expect(await run(consul, ["restore", "backup.snap"])).toEqual({
    code: 0,
    text: "Restored snapshot\n",
  });
});

test("files that are none, or not whole, are refused, and nothing is left behind", async () => {
  const whole = readFileSync(join(directory, "backup.snap"));
  writeFileSync(join(directory, "cut.snap"), whole.subarray(0, 300));
  writeFileSync(join(directory, "empty.snap"), "");
  writeFileSync(join(directory, "text.snap"), "no archive, but long enough");
  mkdirSync(join(directory, "folder"));
  const cut = "failed to read snapshot file: failed to read snapshot metadata: unexpected EOF";
  const refusals: [string[], string][] = [
    [["save"], "Missing FILE argument"],
    [["save", "a", "b"], "Too many arguments (expected 1, got 2)"],
    [
      ["save", "-datacenter=dc9", "x"],
      "Error saving snapshot: Unexpected response code: 500 (No path to datacenter)",
    ],
    [
      ["save", "folder"],
      'Error renaming "folder.unverified" to "folder": rename folder.unverified folder: file exists',
    ],
    [["inspect"], "Missing FILE argument"],
    [
      ["inspect", "/nofile"],
      "Error opening snapshot file: open /nofile: no such file or directory",
    ],
    [["inspect", "cut.snap"], `Error verifying snapshot: ${cut}`],
    [["inspect", "empty.snap"], "Error verifying snapshot: failed to decompress snapshot: EOF"],
    [
      ["inspect", "text.snap"],
      "Error verifying snapshot: failed to decompress snapshot: gzip: invalid header",
    ],
    [
      ["inspect", "folder"],
      "Error verifying snapshot: failed to decompress snapshot: read folder: is a directory",
    ],
    [["restore"], "Missing FILE argument"],
    [
      ["restore", "/nofile"],
      "Error opening snapshot file: open /nofile: no such file or directory",
    ],
    [["restore", "folder"], "Error restoring snapshot: read folder: is a directory"],
    [["restore", "cut.snap"], `Error restoring snapshot: Unexpected response code: 500 (${cut})`],
  ];
  for (const [args, text] of refusals) {
    expect(await snapshot(...args), args.join(" ")).toEqual({ code: 1, text: `${text}\n` });
  }
  const nowhere = await snapshot("save", "/nofolder/x.snap");
  expect(nowhere.text).toMatch(
    /^Error writing unverified snapshot file: open \/nofolder\/x.snap.unverified: no such file/,
  );
  expect(existsSync(join(directory, "folder.unverified"))).toBe(false);
  expect((await agent.get("/v1/kv/before/7?raw")).text, "nothing was restored").toBe("value 7");
});
