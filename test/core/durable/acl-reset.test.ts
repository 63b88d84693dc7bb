// Bootstrapping ACLs again: only with a file on the disk of the server that leads, once, whatever a request says.

import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";

import { operatorFilesIn } from "../../../durable/platform/node/operator-files.ts";
import { noOperatorFiles } from "../../../durable/platform/platform.ts";
import { AclReset } from "../../../durable/server/acl-reset.ts";

let directory: string;
let file: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "proconsul-reset-"));
  file = join(directory, "acl-bootstrap-reset");
});
afterEach(() => rmSync(directory, { recursive: true }));

const bootstrap = (resetIndex: number) =>
  ({ type: "acl.bootstrap", accessor: "a", secret: "s", resetIndex }) as const;

const contents: [content: string, index: number][] = [
  ["21", 21],
  ["21\n", 21],
  ["  7 ", 7],
  ["", 0],
  ["x", 0],
  ["-5", 0],
  ["1.5", 0],
  ["99999999999999999999", 0],
];

test.each(contents)("a file with %j says %d", (content, resetIndex) => {
  writeFileSync(file, content);
  const reset = new AclReset(operatorFilesIn(directory));
  expect(reset.complete(bootstrap(0))).toEqual(bootstrap(resetIndex));
});

test("what a request says of it counts for nothing", () => {
  for (const files of [noOperatorFiles, operatorFilesIn(directory)]) {
    expect(new AclReset(files).complete(bootstrap(21))).toEqual(bootstrap(0));
  }
  writeFileSync(file, "7");
  expect(new AclReset(operatorFilesIn(directory)).complete(bootstrap(21))).toEqual(bootstrap(7));
});

test("other commands are as they are, and leave the file", () => {
  writeFileSync(file, "7");
  const reset = new AclReset(operatorFilesIn(directory));
  const other = { type: "kv.delete", key: "a" } as const;
  expect(reset.complete(other)).toBe(other);
  reset.applied(other);
  expect(existsSync(file)).toBe(true);
});

test("the file is taken away by the bootstrap that it allowed", () => {
  writeFileSync(file, "7");
  const reset = new AclReset(operatorFilesIn(directory));
  reset.applied(bootstrap(7));
  expect(existsSync(file)).toBe(false);
  expect(reset.complete(bootstrap(0))).toEqual(bootstrap(0));
});
