// The agent's log, in Consul's format, because people and test suites wait for its lines:
//
//     2026-11-22T15:49:32.616Z [INFO]  agent.server: New leader elected: payload=vm
//
// Before the log starts to stream, lines are held back until the banner was printed. `/v1/agent/monitor` subscribes.

import type { LogLevel } from "../ports/local-agent.ts";
import type { LogConfig } from "./config/types.ts";
import { LogFile } from "./logs/file.ts";
import { Syslog } from "./logs/syslog.ts";

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

/** A terminal and nothing else. */
export const plainLog: LogConfig = {
  level: "info",
  json: false,
  file: "",
  rotateBytes: 0,
  rotateMs: 0,
  rotateFilesMax: 0,
  syslogFacility: "",
};

export type LogListener = (entry: LogEntry) => void;

export class AgentLog {
  readonly #write: (line: string) => void;
  readonly #listeners = new Set<LogListener>();
  #level: LogLevel = plainLog.level;
  #json = plainLog.json;
  #held: LogEntry[] | null = [];
  #file: LogFile | null = null;
  #syslog: Syslog | null = null;

  constructor(write: (line: string) => void) {
    this.#write = write;
  }

  /**
   * The configuration is known and the banner printed: what was held back goes out. A file and syslog get every line,
   * too. Throws when either cannot be opened.
   */
  open(options: LogConfig): void {
    this.#level = options.level;
    this.#json = options.json;
    if (options.file !== "") this.#file = new LogFile(options);
    if (options.syslogFacility !== "") this.#syslog = new Syslog(options.syslogFacility);
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
    this.#file?.write(line);
    this.#syslog?.write(entry.level, this.#json ? line : messageOf(entry));
  }
}

/** Whether a line of `level` belongs into a log of `threshold`. */
export function isLogged(level: LogLevel, threshold: LogLevel): boolean {
  return levels.indexOf(level) >= levels.indexOf(threshold);
}

export function textLine(entry: LogEntry): string {
  return `${new Date(entry.atMs).toISOString()} ${labels[entry.level]} ${messageOf(entry)}`;
}

function messageOf({ name, message, fields }: LogEntry): string {
  const pairs = Object.entries(fields).map(([key, value]) => ` ${key}=${quoted(value)}`);
  const colon = pairs.length > 0 ? ":" : "";
  return `${name}: ${message}${colon}${pairs.join("")}`;
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
