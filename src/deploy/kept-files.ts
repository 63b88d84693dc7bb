// What a deployer keeps between deployments, in a directory that git ignores: what was decided, and secrets.

import { randomBytes } from "node:crypto";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";

import { type Deployment, DeploymentError, deploymentText, parseDeployment } from "./deployment.ts";

/** Names of the Worker's secrets. */
export const workerSecrets = ["DEPLOY_SECRET", "KEY_SECRET"] as const;

/**
 * With the token that may do everything, the first one by which hosts join, the path at which DNS is asked, and the key
 * by which releases of the agent are signed.
 */
export type Secrets = Partial<
  Record<
    (typeof workerSecrets)[number] | "MANAGEMENT_TOKEN" | "JOIN_TOKEN" | "DNS_PATH" | "RELEASE_KEY",
    string
  >
>;

const secretBytes = 32;

export class KeptFiles {
  readonly directory: string;

  constructor(directory: string) {
    this.directory = directory;
    mkdirSync(directory, { recursive: true, mode: 0o700 });
  }

  path(name: string): string {
    return join(this.directory, name);
  }

  /** Null when nothing was deployed from here. Throws DeploymentError for what cannot be read. */
  deployment(): Deployment | null {
    const path = this.path("deployment.json");
    return existsSync(path) ? parseDeployment(readFileSync(path, "utf8")) : null;
  }

  keepDeployment(deployment: Deployment): void {
    this.write("deployment.json", deploymentText(deployment));
  }

  /** Throws DeploymentError for what cannot be read: a new secret would lock out who has the old one. */
  secrets(): Secrets {
    const path = this.path("secrets.json");
    if (!existsSync(path)) return {};
    try {
      return JSON.parse(readFileSync(path, "utf8")) as Secrets;
    } catch (failure) {
      throw new DeploymentError(`the secrets in ${path} cannot be read: ${String(failure)}`);
    }
  }

  keepSecrets(secrets: Secrets): void {
    this.write("secrets.json", `${JSON.stringify(secrets, null, 2)}\n`);
  }

  /** Whole or not at all, and for its owner only. */
  write(name: string, text: string): void {
    const path = this.path(name);
    writeFileSync(`${path}.new`, text, { mode: 0o600 });
    chmodSync(`${path}.new`, 0o600);
    renameSync(`${path}.new`, path);
  }

  remove(name: string): void {
    rmSync(this.path(name), { force: true });
  }
}

export function newSecret(): string {
  return randomBytes(secretBytes).toString("base64url");
}
