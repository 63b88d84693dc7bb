// What lets this node into a deployment: a token of its own, for which it shows a join token once. It is kept in the
// data directory, so that a host needs the join token only for the first time.

import { readFileSync } from "node:fs";
import { open, rename } from "node:fs/promises";
import { join } from "node:path";

import type { AgentLog } from "../log.ts";
import type { OutsideReply } from "./outside.ts";

const fileName = "node-credential.json";
/** A refusal is not going to change by itself. */
const againAfterRefusalMs = 30_000;

export interface NodeCredentialParts {
  /** "" for none: nothing is kept. */
  dataDir: string;
  node: string;
  id: string;
  datacenter: string;
  /** "" for none. */
  joinToken: string;
  log: Pick<AgentLog, "info" | "warn">;
  nowMs(): number;
  /** Posts to the registry; rejects when it does not answer. */
  post(url: string, headers: Record<string, string>, body: object): Promise<OutsideReply>;
}

interface Kept {
  registry: string;
  node: string;
  id: string;
  token: string;
}

export class NodeCredential {
  readonly #parts: NodeCredentialParts;
  #kept: Kept | null;
  #refusal = { text: "", untilMs: 0 };
  #joining: Promise<void> | null = null;

  constructor(parts: NodeCredentialParts) {
    this.#parts = parts;
    this.#kept = this.#read();
  }

  /** "" while there is none. */
  get token(): string {
    return this.#kept?.token ?? "";
  }

  /** Joins the registry at `registry`, `https://…`, unless this node has. Rejects with an Error that says why not. */
  async ensure(registry: string): Promise<void> {
    const { joinToken, node, id, nowMs } = this.#parts;
    const kept = this.#kept;
    if (kept && kept.registry === registry && kept.node === node && kept.id === id) return;
    if (joinToken === "") return;
    if (nowMs() < this.#refusal.untilMs) throw new Error(this.#refusal.text);
    this.#joining ??= this.#join(registry).finally(() => {
      this.#joining = null;
    });
    await this.#joining;
  }

  /** The registry knows it no more: with a join token, the node joins again. */
  refused(): void {
    if (this.#parts.joinToken !== "") this.#kept = null;
  }

  async #join(registry: string): Promise<void> {
    const { joinToken, node, id, datacenter, log, nowMs, post } = this.#parts;
    const headers = { authorization: `Bearer ${joinToken}` };
    const { status, text } = await post(`${registry}/join`, headers, {
      ...{ node, id, datacenter },
    });
    if (status !== 200) {
      const why = `the registry does not take this node in: ${status} ${text.slice(0, 200)}`;
      if (status === 403 || status === 400) {
        this.#refusal = { text: why, untilMs: nowMs() + againAfterRefusalMs };
      }
      throw new Error(why);
    }
    const token = tokenIn(text);
    if (token === null) throw new Error("what answers there is no registry");
    this.#kept = { registry, node, id, token };
    log.info("agent", "joined the registry", { registry, node });
    await this.#keep(this.#kept);
  }

  #read(): Kept | null {
    const { dataDir, log } = this.#parts;
    if (dataDir === "") return null;
    try {
      return JSON.parse(readFileSync(join(dataDir, fileName), "utf8")) as Kept;
    } catch (failure) {
      if ((failure as NodeJS.ErrnoException).code !== "ENOENT") {
        log.warn("agent", "cannot read this node's token", { error: (failure as Error).message });
      }
      return null;
    }
  }

  async #keep(kept: Kept): Promise<void> {
    const { dataDir, log } = this.#parts;
    if (dataDir === "") return;
    const path = join(dataDir, fileName);
    try {
      const file = await open(`${path}.new`, "w", 0o600);
      try {
        await file.writeFile(JSON.stringify(kept));
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(`${path}.new`, path);
    } catch (failure) {
      // It goes on with what it has; the next start joins again.
      log.warn("agent", "cannot keep this node's token", { error: (failure as Error).message });
    }
  }
}

function tokenIn(text: string): string | null {
  try {
    const { token } = JSON.parse(text) as { token?: unknown };
    return typeof token === "string" && token !== "" ? token : null;
  } catch {
    return null;
  }
}
