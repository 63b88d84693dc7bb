// What is measured, built: the working tree as it stands, and another commit in a temporary git worktree with its own
// build. Both live until the process ends.

import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export interface Checkout {
  name: string;
  /** Holds `dist/`, and `node_modules/` beside it. */
  root: string;
}

const workingTreeRoot = fileURLToPath(new URL("../..", import.meta.url));

/** Rejects by throwing when it does not build. */
export function workingTree(): Checkout {
  run(workingTreeRoot, process.execPath, ["--run", "build"]);
  return { name: "working tree", root: workingTreeRoot };
}

/** Throws when there is no such commit, or it does not build. */
export function checkOut(commit: string): Checkout {
  const name = run(workingTreeRoot, "git", ["rev-parse", "--short", `${commit}^{commit}`]).trim();
  const parent = mkdtempSync(join(tmpdir(), "proconsul-bench-"));
  const root = join(parent, "checkout");
  process.on("exit", () => {
    spawnSync("git", ["worktree", "remove", "--force", root], { cwd: workingTreeRoot });
    rmSync(parent, { recursive: true, force: true });
  });
  run(workingTreeRoot, "git", ["worktree", "add", "--detach", root, name]);
  if (hasSameDependencies(root)) linkDependencies(root);
  else run(root, process.execPath, [".ci/deps.mjs"]);
  // Not by npm, whose pre-script would install into files that are shared with the working tree.
  run(root, process.execPath, ["--run", "build"]);
  return { name, root };
}

function hasSameDependencies(root: string): boolean {
  return ["package-lock.json", "package.json"].every((file) =>
    readFileSync(join(root, file)).equals(readFileSync(join(workingTreeRoot, file))),
  );
}

/** Hard links; copies where the temporary directory is on another disk. */
function linkDependencies(root: string): void {
  const from = join(workingTreeRoot, "node_modules");
  const to = join(root, "node_modules");
  if (spawnSync("cp", ["-al", from, to]).status === 0) return;
  rmSync(to, { recursive: true, force: true });
  run(root, "cp", ["-a", from, to]);
}

function run(cwd: string, command: string, args: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd, encoding: "utf8" });
  if (status !== 0) {
    throw new Error(`${command} ${args.join(" ")}: ${error?.message ?? stderr + stdout}`);
  }
  return stdout;
}
