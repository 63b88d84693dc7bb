// Wrangler, which knows how to talk to Cloudflare. Everything that it prints is shown; what we need of it, it writes
// into a file.

import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { DeploymentError } from "./deployment.ts";

export interface Uploaded {
  /** Where the Worker answers, `https://…`; empty on a dry run. */
  urls: string[];
  /** Of the Worker as it is sent. */
  gzipBytes: number;
}

export interface Upload {
  configPath: string;
  /** Null: there is nothing to set. */
  secretsPath: string | null;
  dryRun: boolean;
}

/** What deploys; tests have another. */
export interface Uploader {
  /** Whom Cloudflare knows here; null when nobody is logged in. */
  account(): Promise<string | null>;
  login(): Promise<void>;
  /** Names of the secrets that a Worker has; none when there is no such Worker. */
  secretNames(worker: string): Promise<string[]>;
  upload(upload: Upload): Promise<Uploaded>;
}

interface Run {
  code: number;
  output: string;
}

/** Cloudflare's codes for a Worker that does not exist. */
const noSuchWorker = /\[code: (?:10007|10090)\]/;

export class Wrangler implements Uploader {
  readonly #root: string;
  readonly #binary: string;

  /** `root`: the repository. */
  constructor(root: string) {
    this.#root = root;
    this.#binary = join(root, "node_modules/wrangler/bin/wrangler.js");
  }

  async account(): Promise<string | null> {
    const { code, output } = await this.#run(["whoami", "--json"], "quiet");
    const found = jsonIn<{ loggedIn?: boolean; email?: string; accounts?: { name: string }[] }>(
      output,
    );
    if (!found) throw new DeploymentError(`wrangler does not say who is logged in:\n${output}`);
    if (code !== 0 || found.loggedIn !== true) return null;
    return found.email ?? found.accounts?.[0]?.name ?? "an API token";
  }

  async login(): Promise<void> {
    const { code } = await this.#run(["login"], "shown");
    if (code !== 0) throw new DeploymentError("nobody is logged in at Cloudflare");
  }

  async secretNames(worker: string): Promise<string[]> {
    const args = ["secret", "list", "--name", worker, "--format", "json"];
    const { code, output } = await this.#run(args, "quiet");
    if (code !== 0 && noSuchWorker.test(output)) return [];
    const secrets = jsonIn<{ name: string }[]>(output);
    if (code !== 0 || !secrets) {
      throw new DeploymentError(`wrangler does not say which secrets ${worker} has:\n${output}`);
    }
    return secrets.map(({ name }) => name);
  }

  async upload({ configPath, secretsPath, dryRun }: Upload): Promise<Uploaded> {
    const directory = mkdtempSync(join(tmpdir(), "proconsul-deploy-"));
    try {
      const told = join(directory, "output.ndjson");
      const args = [
        ...["deploy", "--config", configPath],
        ...(secretsPath === null ? [] : ["--secrets-file", secretsPath]),
        ...(dryRun ? ["--dry-run", "--outdir", join(directory, "bundle")] : []),
      ];
      const { code } = await this.#run(args, "shown", { WRANGLER_OUTPUT_FILE_PATH: told });
      if (code !== 0) throw new DeploymentError(`wrangler deploy ended with code ${code}`);
      return uploadedIn(readFileSync(told, "utf8"));
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  }

  #run(
    args: readonly string[],
    mode: "shown" | "quiet",
    more: NodeJS.ProcessEnv = {},
  ): Promise<Run> {
    return new Promise((resolve, reject) => {
      const child = spawn(process.execPath, [this.#binary, ...args], {
        cwd: this.#root,
        env: { ...process.env, WRANGLER_SEND_METRICS: "false", ...more },
        stdio: mode === "shown" ? "inherit" : ["ignore", "pipe", "pipe"],
      });
      let output = "";
      for (const stream of [child.stdout, child.stderr]) {
        stream?.setEncoding("utf8").on("data", (text: string) => (output += text));
      }
      child.on("error", reject);
      child.on("close", (code) => resolve({ code: code ?? 1, output }));
    });
  }
}

/** Reads what wrangler wrote about a deployment, one JSON object a line. */
export function uploadedIn(text: string): Uploaded {
  const entries = text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  const deployed = entries.find(({ type }) => type === "deploy");
  const targets = (deployed?.["targets"] ?? []) as string[];
  const size = deployed?.["bundle_size"] as { gzip_bytes?: number } | undefined;
  return {
    // A custom domain is told as `name (custom domain)`.
    urls: targets.map((target) => {
      const [first = ""] = target.split(" ");
      return first.includes("://") ? first : `https://${first}`;
    }),
    gzipBytes: size?.gzip_bytes ?? 0,
  };
}

/** Whatever wrangler prints around it. */
function jsonIn<Value>(output: string): Value | null {
  for (const [open, close] of ["[]", "{}"]) {
    const text = output.slice(output.indexOf(open ?? ""), output.lastIndexOf(close ?? "") + 1);
    try {
      return JSON.parse(text) as Value;
    } catch {
      // It may be the other kind.
    }
  }
  return null;
}
