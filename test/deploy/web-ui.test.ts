// The web UI on its way into a deployment, and to the hosts that install from one.

import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";

import { newReleaseKey, writeRelease } from "../../src/deploy/release.ts";
import { headersFile } from "../../src/ui-files.ts";
import { archivePath } from "../../src/install/manifest.ts";
import { stopAll, temporaryDirectory } from "../support/proconsul.ts";

afterAll(stopAll);

test("its files are static ones of the deployment, with their headers, and part of what hosts install", () => {
  const root = temporaryDirectory();
  const [dist, directory, host] = ["dist", "public", "host"].map((name) => join(root, name)) as [
    string,
    string,
    string,
  ];
  mkdirSync(join(dist, "public/ui/assets"), { recursive: true });
  mkdirSync(host);
  const files = {
    "proconsul.mjs": "// launcher",
    "worker.js": "// worker",
    "public/_headers": headersFile(),
    "public/ui/index.html": "<!doctype html>",
    "public/ui/assets/main-X.js": "// main",
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(dist, name), text);
  writeRelease({ dist, directory, version: "1.0.0", releaseKey: newReleaseKey() });
  const read = (...path: string[]): string => readFileSync(join(...path), "utf8");
  expect(read(directory, "_headers")).toBe(headersFile());
  expect(read(directory, "ui/index.html")).toBe("<!doctype html>");
  expect(read(directory, "ui/assets/main-X.js")).toBe("// main");
  execFileSync("tar", ["-xzf", join(directory, archivePath), "-C", host]);
  const there = execFileSync("find", [".", "-type", "f"], { cwd: host, encoding: "utf8" });
  expect(there.trim().split("\n").toSorted()).toEqual([
    "./proconsul.mjs",
    "./public/ui/assets/main-X.js",
    "./public/ui/index.html",
  ]);
});
