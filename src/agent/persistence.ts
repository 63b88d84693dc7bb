// What an agent starts with: the definitions of its configuration files, and beside them what the
// API registered and what checks said last, kept in the data directory so that a restarted agent is
// the one it was. One small file for each service and check, written aside, synced and renamed.
//
// A file that cannot be read is reported and moved aside; it never keeps the agent from starting.
// What stands in the configuration files is not kept, and wins over what is.

import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, renameSync } from "node:fs";
import { open, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import type { CheckDefinition, CheckStatus, ServiceDefinition } from "../core/agent/definitions.ts";
import type { LocalChange } from "../core/agent/entries.ts";
import { applyFileDefinitions } from "../core/agent/file-definitions.ts";
import type { LocalAgentState, SavedCheck } from "../core/agent/local-state.ts";
import { ServiceError } from "../core/model/errors.ts";
import type { ResolvedAgentConfig } from "./config/types.ts";
import type { AgentLog } from "./log.ts";

interface SavedService {
  kind: "service";
  definition: ServiceDefinition;
}

interface SavedDefinition {
  kind: "check";
  definition: CheckDefinition;
}

interface SavedMaintenance {
  kind: "maintenance";
  /** "" for the node. */
  serviceId: string;
  reason: string;
}

interface SavedState extends SavedCheck {
  kind: "state";
  id: string;
}

type Saved = SavedService | SavedDefinition | SavedMaintenance | SavedState;

const folders = { service: "services", check: "checks", state: "checks/state" } as const;
type Folder = keyof typeof folders;

/** Loading lets others have their turn after this time. */
const loadTurnMs = 20;

type Log = Pick<AgentLog, "warn" | "error">;

export class Persistence {
  readonly #config: Pick<ResolvedAgentConfig, "dataDir" | "services" | "checks">;
  readonly #state: LocalAgentState;
  readonly #log: Log;
  /** What has to be written, by `<type>/<id>`. */
  readonly #dirty = new Map<string, LocalChange>();
  /** Hashes of what the files hold, by file: what did not change is not written again. */
  readonly #held = new Map<string, string>();
  #writing: Promise<void> = Promise.resolve();
  /** Why the newest change is not on the disk; null when it is. */
  #failure: Error | null = null;
  #unsubscribe = (): void => {};

  /** Without a data directory nothing is kept. */
  constructor(
    config: Pick<ResolvedAgentConfig, "dataDir" | "services" | "checks">,
    state: LocalAgentState,
    log: Log,
  ) {
    this.#config = config;
    this.#state = state;
    this.#log = log;
  }

  /**
   * Registers what the files define and what was kept; then keeps every further change. Rejects
   * with ServiceError when a file's definition is refused, e.g. a script while scripts are
   * disabled.
   */
  async load(): Promise<void> {
    const nowMs = Date.now();
    applyFileDefinitions(this.#state, this.#config, nowMs);
    if (this.#config.dataDir === "") return;
    for (const folder of Object.values(folders)) {
      mkdirSync(join(this.#config.dataDir, folder), { recursive: true, mode: 0o755 });
    }
    this.#unsubscribe = this.#state.rows.subscribe((change) => this.#note(change));
    let turnMs = performance.now();
    for (const folder of ["service", "check", "state"] as const) {
      for (const file of this.#files(folder)) {
        if (performance.now() - turnMs > loadTurnMs) {
          await new Promise(setImmediate);
          turnMs = performance.now();
        }
        const saved = this.#read(folder, file);
        if (saved === null) continue;
        try {
          this.#restore(saved, nowMs);
        } catch (error) {
          // Refused, or damaged in a way that only showed now.
          this.#log.warn("agent", "Failed to restore", { file, error: (error as Error).message });
        }
      }
    }
    await this.#writing;
  }

  /** Resolves when every change made so far is on the disk; rejects with ServiceError when it could not be kept. */
  async flush(): Promise<void> {
    await this.#writing;
    if (this.#failure) {
      throw new ServiceError("internal", `failed to keep state: ${this.#failure.message}`);
    }
  }

  /** Keeps nothing further; resolves when what was under way is done. */
  async stop(): Promise<void> {
    this.#unsubscribe();
    await this.#writing;
  }

  #restore(saved: Saved, nowMs: number): void {
    const options = { origin: "api", nowMs } as const;
    switch (saved.kind) {
      case "service":
        if (this.#inFile("service", saved.definition.service.ID)) return;
        return this.#state.registerService(saved.definition, options);
      case "check":
        if (this.#inFile("check", saved.definition.checkId)) return;
        return this.#state.registerCheck(saved.definition, options);
      case "maintenance":
        if (saved.serviceId === "") this.#state.nodeMaintenance(true, saved.reason, nowMs);
        else this.#state.serviceMaintenance(saved.serviceId, true, saved.reason, nowMs);
        return;
      case "state": {
        const overdue = saved.ttlDeadlineMs !== null && saved.ttlDeadlineMs <= nowMs;
        // A TTL that ended meanwhile is not known to hold: the check starts as it is defined.
        if (!overdue) this.#state.restoreCheck(saved.id, saved, nowMs);
      }
    }
  }

  /** What a file defines now is no longer to be kept. */
  #inFile(type: LocalChange["type"], id: string): boolean {
    const { rows } = this.#state;
    const entry = type === "service" ? rows.services.get(id) : rows.checks.get(id);
    if (entry?.origin !== "file") return false;
    this.#note({ type, id });
    return true;
  }

  #files(folder: Folder): string[] {
    const directory = join(this.#config.dataDir, folders[folder]);
    return readdirSync(directory, { withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name.endsWith(".json"))
      .map((entry) => join(directory, entry.name))
      .toSorted();
  }

  #read(folder: Folder, file: string): Saved | null {
    try {
      const text = readFileSync(file, "utf8");
      const saved = JSON.parse(text) as Saved;
      if (!isSaved(folder, saved)) throw new TypeError("not what is kept here");
      this.#held.set(file, hashOf(text));
      return saved;
    } catch {
      // Not JSON, or not readable: the same as the wrong contents.
    }
    const aside = `${file}.corrupt`;
    renameSync(file, aside);
    this.#log.error("agent", "Corrupt file moved aside", { file, aside });
    return null;
  }

  #note(change: LocalChange): void {
    this.#dirty.set(`${change.type}/${change.id}`, change);
    if (this.#dirty.size > 1) return;
    this.#writing = this.#writing.then(() => this.#writeDirty());
  }

  async #writeDirty(): Promise<void> {
    const changes = [...this.#dirty.values()];
    this.#dirty.clear();
    this.#failure = null;
    for (const change of changes) {
      try {
        await this.#write(change);
      } catch (error) {
        this.#failure = error as Error;
        this.#log.error("agent", "Failed to keep state", { error: this.#failure.message });
      }
    }
  }

  async #write({ type, id }: LocalChange): Promise<void> {
    if (type === "service") {
      await this.#put("service", id, this.#savedService(id));
    } else {
      await this.#put("check", id, this.#savedCheck(id));
      await this.#put("state", id, this.#savedState(id));
    }
  }

  /** Null for what is not to be kept. A sidecar comes back with its service. */
  #savedService(id: string): Saved | null {
    const entry = this.#state.rows.services.get(id);
    if (entry === undefined || entry.origin === "file" || entry.sidecarOf !== null) return null;
    const { definition } = entry;
    const service = { ...definition.service, ID: id };
    return { kind: "service", definition: { ...definition, service, sidecar: this.#sidecar(id) } };
  }

  /** The wanted sidecar, with the port that it was given: the next start must not move it. */
  #sidecar(id: string): ServiceDefinition["sidecar"] {
    const { services } = this.#state.rows;
    const wanted = services.get(id)?.definition.sidecar ?? null;
    const running = [...services.values()].find((entry) => entry.sidecarOf === id);
    if (wanted === null || running === undefined) return wanted;
    return { ...wanted, service: { ...wanted.service, Port: running.service.Port } };
  }

  #savedCheck(id: string): Saved | null {
    const entry = this.#state.rows.checks.get(id);
    if (entry === undefined || entry.origin === "file" || entry.ofService) return null;
    const { check, definition } = entry;
    if (definition !== null) return { kind: "check", definition };
    return { kind: "maintenance", serviceId: check.ServiceID, reason: check.Notes };
  }

  #savedState(id: string): Saved | null {
    const entry = this.#state.rows.checks.get(id);
    if (!entry?.definition) return null;
    const { Status, Output } = entry.check;
    const { ttlDeadlineMs } = entry;
    return { kind: "state", id, status: Status as CheckStatus, output: Output, ttlDeadlineMs };
  }

  async #put(folder: Folder, id: string, saved: Saved | null): Promise<void> {
    const file = join(this.#config.dataDir, folders[folder], `${hashOf(id)}.json`);
    if (saved === null) {
      if (!this.#held.has(file)) return;
      await rm(file, { force: true });
      this.#held.delete(file);
      return;
    }
    const text = JSON.stringify(saved);
    const hash = hashOf(text);
    if (this.#held.get(file) === hash) return;
    await replaceFile(file, text);
    this.#held.set(file, hash);
  }
}

const kinds: Record<Folder, readonly string[]> = {
  service: ["service"],
  check: ["check", "maintenance"],
  state: ["state"],
};

function isSaved(folder: Folder, saved: unknown): boolean {
  if (typeof saved !== "object" || saved === null) return false;
  const { kind } = saved as Partial<Saved>;
  return typeof kind === "string" && kinds[folder].includes(kind);
}

function hashOf(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

/** The file holds either its old content or the new one, whatever happens meanwhile. */
async function replaceFile(file: string, content: string): Promise<void> {
  const aside = `${file}.tmp`;
  const handle = await open(aside, "w", 0o600);
  try {
    await handle.writeFile(content);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(aside, file);
}
