// The entry point of the image: what becomes of a container's arguments and variables. A program that prints its
// arguments stands for ours.

import { execFileSync } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, expect, test } from "vitest";

const entrypoint = join(import.meta.dirname, "../../.docker/entrypoint.sh");
const directory = mkdtempSync(join(tmpdir(), "proconsul-entrypoint-"));
const commands = ["members", "kv", "version"];
writeFileSync(
  join(directory, "proconsul"),
  `#!/bin/sh
case "$*" in ${commands.map((name) => `"${name} -h"`).join(" | ")}) echo "Usage: proconsul $1 [options]"; exit 0;; esac
case "$*" in *" -h") echo "Usage: proconsul [--version] [--help] <command> [<args>]"; exit 127;; esac
for one in "$@"; do echo "$one"; done
`,
);
chmodSync(join(directory, "proconsul"), 0o755);
afterAll(() => rmSync(directory, { recursive: true }));

function started(args: readonly string[], variables: Record<string, string> = {}): string[] {
  const env = { PATH: `${directory}:${process.env.PATH ?? ""}`, TMPDIR: directory, ...variables };
  return execFileSync("sh", [entrypoint, ...args], { env, encoding: "utf8" })
    .trim()
    .split("\n");
}

const folders = ["agent", "-data-dir=/consul/data", "-config-dir=/consul/config"];

test.each([
  [
    ["agent", "-dev"],
    [...folders, "-dev"],
  ],
  [
    ["-dev", "-client", "0.0.0.0"],
    [...folders, "-dev", "-client", "0.0.0.0"],
  ],
  [
    ["consul", "agent", "-server"],
    [...folders, "-server"],
  ],
  [
    ["members", "-wan"],
    ["members", "-wan"],
  ],
  [
    ["consul", "kv", "get", "a b"],
    ["kv", "get", "a b"],
  ],
  [["sh", "-c", "echo a shell"], ["a shell"]],
])("%j", (args, expected) => {
  expect(started(args)).toEqual(expected);
});

test("interfaces become addresses of the agent, before what is said on the command line", () => {
  const variables = { CONSUL_BIND_INTERFACE: "eth1", CONSUL_CLIENT_INTERFACE: "lo" };
  expect(started(["agent", "-client=0.0.0.0"], variables)).toEqual([
    ...folders,
    '-bind={{ GetInterfaceIP "eth1" }}',
    '-client={{ GetInterfaceIP "lo" }}',
    "-client=0.0.0.0",
  ]);
});

test.each([
  ['{ "datacenter": "dc2" }', ".json"],
  [' \n\t{"log_level": "WARN"}', ".json"],
  ['datacenter = "dc2"\nservice { name = "web" }', ".hcl"],
])(
  "CONSUL_LOCAL_CONFIG %j is a file after the folder's, in the language that it is in",
  (text, extension) => {
    const [, , last = "", flag = ""] = started(["agent"], { CONSUL_LOCAL_CONFIG: text });
    expect(last).toBe("-config-dir=/consul/config");
    const [name, path = ""] = flag.split("=");
    expect([name, path.endsWith(extension)]).toEqual(["-config-file", true]);
    expect(readFileSync(path, "utf8")).toBe(`${text}\n`);
  },
);

test("folders may be elsewhere", () => {
  const variables = { CONSUL_DATA_DIR: "/d", CONSUL_CONFIG_DIR: "/c" };
  expect(started(["agent"], variables)).toEqual(["agent", "-data-dir=/d", "-config-dir=/c"]);
});
