// The tokens that this agent shows: from its configuration, and, before those, what the API set. With
// `acl.enable_token_persistence` the latter are kept in the data directory, in the file that Consul uses.

import { readFileSync } from "node:fs";
import { open, rename } from "node:fs/promises";
import { join } from "node:path";

import { ServiceError } from "../core/model/errors.ts";
import type { AclConfig, AgentTokens } from "./config/types.ts";
import type { AgentLog } from "./log.ts";

const fileName = "acl-tokens.json";

/** Names by which the API sets them. */
const kinds: Readonly<Record<string, keyof AgentTokens>> = {
  default: "default",
  acl_token: "default",
  agent: "agent",
  acl_agent_token: "agent",
  agent_master: "agentMaster",
  acl_agent_master_token: "agentMaster",
  replication: "replication",
  acl_replication_token: "replication",
};

/** As the file calls them. */
const fileNames: Readonly<Record<keyof AgentTokens, string>> = {
  default: "default",
  agent: "agent",
  agentMaster: "agent_master",
  replication: "replication",
};

export class TokenStore {
  #configured: AgentTokens;
  #set: Partial<AgentTokens> = {};
  readonly #file: string | null;
  /** The one that a deployment gave to this node; "" for none. */
  nodeToken: () => string = () => "";

  /** Without a data directory nothing is kept. */
  constructor(acl: AclConfig, dataDir: string, log: Pick<AgentLog, "warn">) {
    this.#configured = acl.tokens;
    this.#file = acl.tokenPersistence && dataDir !== "" ? join(dataDir, fileName) : null;
    if (this.#file !== null) this.#set = readTokens(this.#file, log);
  }

  /** Shown for those who show nothing; "" for none. */
  get default(): string {
    return this.#set.default ?? this.#configured.default;
  }

  /** Shown for questions of DNS, which come without one; "" for none. */
  get dns(): string {
    return this.default || this.nodeToken();
  }

  /** Shown for what the agent does by itself; "" for none. */
  get agent(): string {
    return (this.#set.agent ?? this.#configured.agent) || this.nodeToken() || this.default;
  }

  /** Whether it is the one that may use this agent whatever the servers say. */
  isMaster(token: string): boolean {
    return token !== "" && token === (this.#set.agentMaster ?? this.#configured.agentMaster);
  }

  /** Takes over the tokens of a configuration that was read again. */
  reload({ tokens }: AclConfig): void {
    this.#configured = tokens;
  }

  /** Rejects with ServiceError: `not-found` for a kind that there is not, `internal` when it could not be kept. */
  async set(kind: string, token: string): Promise<void> {
    const name = Object.hasOwn(kinds, kind) ? kinds[kind] : undefined;
    if (name === undefined) throw new ServiceError("not-found", `Token "${kind}" is unknown`);
    const changed = { ...this.#set, [name]: token };
    if (this.#file !== null) await keep(this.#file, changed);
    this.#set = changed;
  }
}

function readTokens(file: string, log: Pick<AgentLog, "warn">): Partial<AgentTokens> {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (failure) {
    if ((failure as NodeJS.ErrnoException).code === "ENOENT") return {};
    log.warn("agent", "cannot read the kept tokens", { error: (failure as Error).message });
    return {};
  }
  try {
    const kept = JSON.parse(text) as Record<string, unknown>;
    return Object.fromEntries(
      Object.entries(fileNames).flatMap(([name, file]) => {
        const token = kept[file];
        return typeof token === "string" ? [[name, token]] : [];
      }),
    );
  } catch {
    // Never its content.
    log.warn("agent", "the kept tokens are not JSON and are left alone", { file });
    return {};
  }
}

/** Whole or not at all, for the owner's eyes only. */
async function keep(file: string, tokens: Partial<AgentTokens>): Promise<void> {
  try {
    const handle = await open(`${file}.new`, "w", 0o600);
    try {
      const entries = Object.entries(tokens).map(([name, token]) => {
        return [fileNames[name as keyof AgentTokens], token];
      });
      await handle.writeFile(JSON.stringify(Object.fromEntries(entries)));
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(`${file}.new`, file);
  } catch (failure) {
    const reason = (failure as Error).message;
    throw new ServiceError("internal", `Failed to persist the token: ${reason}`);
  }
}
