// Lines for syslog. Node has no datagram sockets of Unix, which is what /dev/log is, so the system's `logger` passes
// them on, one process for the life of the agent. Priorities are those that Consul gives its levels.

import { type ChildProcess, spawn } from "node:child_process";
import { statSync } from "node:fs";
import { delimiter, join } from "node:path";

import type { LogLevel } from "../../ports/local-agent.ts";

const facilities: Readonly<Record<string, number>> = {
  ...{ KERN: 0, USER: 1, MAIL: 2, DAEMON: 3, AUTH: 4, SYSLOG: 5, LPR: 6, NEWS: 7, UUCP: 8 },
  ...{ CRON: 9, AUTHPRIV: 10, FTP: 11, LOCAL0: 16, LOCAL1: 17, LOCAL2: 18, LOCAL3: 19 },
  ...{ LOCAL4: 20, LOCAL5: 21, LOCAL6: 22, LOCAL7: 23 },
};

const severities: Readonly<Record<LogLevel, number>> = {
  ...{ trace: 7, debug: 6, info: 5, warn: 4, err: 3 },
};

const socketDefault = "/dev/log";
/** A syslog that does not read costs lines rather than memory. */
const bufferedBytesMax = 1024 * 1024;
const againMs = 5_000;

export class Syslog {
  readonly #facility: number;
  readonly #socket: string;
  #logger: ChildProcess | null = null;
  #startedMs = Number.NEGATIVE_INFINITY;

  /** Throws when there is no syslog on this host, no program to reach it, or no such facility. */
  constructor(facility: string, socket = socketDefault) {
    const number = facilities[facility.toUpperCase()];
    if (number === undefined) throw new Error(`invalid syslog facility: ${facility}`);
    this.#facility = number;
    this.#socket = socket;
    if (statSync(socket, { throwIfNoEntry: false })?.isSocket() !== true) {
      throw new Error(`enable_syslog is set, but there is no syslog at ${socket}`);
    }
    if (!isInstalled("logger")) {
      throw new Error("enable_syslog is set, but the program logger is not installed");
    }
  }

  /** `text`: a line without its time and level. */
  write(level: LogLevel, text: string): void {
    const stdin = this.#started()?.stdin;
    if (!stdin || stdin.writableLength > bufferedBytesMax) return;
    const priority = this.#facility * 8 + severities[level];
    stdin.write(`<${priority}>${text.replaceAll("\n", " ")}\n`);
  }

  /** Null for a while after it ended. */
  #started(): ChildProcess | null {
    const nowMs = performance.now();
    if (this.#logger || nowMs - this.#startedMs < againMs) return this.#logger;
    this.#startedMs = nowMs;
    const flags = ["--prio-prefix", "--tag", "consul", "--socket", this.#socket];
    const logger = spawn("logger", flags, { stdio: ["pipe", "ignore", "ignore"] });
    const gone = (): void => {
      if (this.#logger === logger) this.#logger = null;
    };
    logger.once("error", gone);
    logger.once("exit", gone);
    logger.stdin.on("error", gone);
    // It ends with its input, and never keeps the agent alive.
    logger.unref();
    (logger.stdin as unknown as { unref?(): void }).unref?.();
    this.#logger = logger;
    return logger;
  }
}

function isInstalled(program: string): boolean {
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  return folders.some((folder) => {
    return statSync(join(folder, program), { throwIfNoEntry: false })?.isFile() === true;
  });
}
