// The agent's log, in Consul's format, because people and test suites wait for its lines:
//
//     2026-11-22T15:49:32.616Z [INFO]  agent.server: New leader elected: payload=vm
//
// Before the log starts to stream, lines are held back until the banner was printed. `/v1/agent/monitor` subscribes.

import { openSync, writeSync } from "node:fs";
import { join, parse } from "node:path";

import type { LogLevel } from "../ports/local-agent.ts";

const levels: readonly LogLevel[] = ["trace", "debug", "info", "warn", "err"];
const labels: Record<LogLevel, string> = {
  trace: "[TRACE]",
  debug: "[DEBUG]",
  info: "[INFO] ",
  warn: "[WARN] ",
  err: "[ERROR]",
};

export interface LogEntry {
  atMs: number;
  level: LogLevel;
  /** `agent`, `agent.server`, … */
  name: string;
  message: string;
  fields: Record<string, string>;
}

export type LogListener = (entry: LogEntry) => void;

export class AgentLog {
  readonly #write: (line: string) => void;
  readonly #listeners = new Set<LogListener>();
  #level: LogLevel = "info";
  #json = false;
  #held: LogEntry[] | null = [];
  #file: number | null = null;

  constructor(write: (line: string) => void) {
    this.#write = write;
  }

  /**
   * The configuration is known and the banner printed: what was held back goes out. `file` gets every line, too; ""
   * for none. Throws when it cannot be opened.
   */
  open(options: { level: LogLevel; json: boolean; file: string }): void {
    this.#level = options.level;
    this.#json = options.json;
    if (options.file !== "") this.#file = openSync(logFileName(options.file), "a", 0o640);
    const held = this.#held ?? [];
    this.#held = null;
    for (const entry of held) this.#print(entry);
  }

  set level(level: LogLevel) {
    this.#level = level;
  }

  trace(name: string, message: string, fields: Record<string, string> = {}): void {
    this.#log("trace", name, message, fields);
  }

  debug(name: string, message: string, fields: Record<string, string> = {}): void {
    this.#log("debug", name, message, fields);
  }

  info(name: string, message: string, fields: Record<string, string> = {}): void {
    this.#log("info", name, message, fields);
  }

  warn(name: string, message: string, fields: Record<string, string> = {}): void {
    this.#log("warn", name, message, fields);
  }

  error(name: string, message: string, fields: Record<string, string> = {}): void {
    this.#log("err", name, message, fields);
  }

  /** Hears every entry, whatever the level printed. Call what it returns to stop. */
  subscribe(listener: LogListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #log(level: LogLevel, name: string, message: string, fields: Record<string, string>): void {
    const entry = { atMs: Date.now(), level, name, message, fields };
    for (const listener of this.#listeners) listener(entry);
    if (this.#held) this.#held.push(entry);
    else this.#print(entry);
  }

  #print(entry: LogEntry): void {
    if (!isLogged(entry.level, this.#level)) return;
    const line = this.#json ? jsonLine(entry) : textLine(entry);
    this.#write(this.#json ? line : `    ${line}`);
    if (this.#file !== null) writeSync(this.#file, `${line}\n`);
  }
}

/** As Consul names it: the given path with the time in ns, `.log` unless it has an extension. */
function logFileName(path: string): string {
  const given = path.endsWith("/") ? `${path}consul` : path;
  const { dir, name, ext } = parse(given);
  return join(dir, `${name}-${Date.now()}000000${ext || ".log"}`);
}

/** Whether a line of `level` belongs into a log of `threshold`. */
export function isLogged(level: LogLevel, threshold: LogLevel): boolean {
  return levels.indexOf(level) >= levels.indexOf(threshold);
}

export function textLine({ atMs, level, name, message, fields }: LogEntry): string {
  const pairs = Object.entries(fields).map(([key, value]) => ` ${key}=${quoted(value)}`);
  const colon = pairs.length > 0 ? ":" : "";
  return `${new Date(atMs).toISOString()} ${labels[level]} ${name}: ${message}${colon}${pairs.join("")}`;
}

export function jsonLine({ atMs, level, name, message, fields }: LogEntry): string {
  return JSON.stringify({
    "@level": level === "err" ? "error" : level,
    "@message": message,
    "@module": name,
    "@timestamp": new Date(atMs).toISOString(),
    ...fields,
  });
}

function quoted(value: string): string {
  return /[\s"=]/.test(value) ? JSON.stringify(value) : value;
}
