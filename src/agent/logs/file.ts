// A log file that is changed when it is full or old, under Consul's names: `name-<ns>.log`. Lines that cannot be
// written, because the disk is full, are lost here and still printed.

import { closeSync, openSync, readdirSync, rmSync, writeSync } from "node:fs";
import { basename, dirname, join, parse } from "node:path";

import type { LogConfig } from "../config/types.ts";

const durationMsDefault = 24 * 60 * 60 * 1_000;

type FileLogConfig = Pick<LogConfig, "file" | "rotateBytes" | "rotateMs" | "rotateFilesMax">;

export class LogFile {
  readonly #config: FileLogConfig;
  readonly #nowMs: () => number;
  #descriptor: number;
  #openedMs: number;
  #bytes = 0;
  #lastNs = 0n;

  /** Throws when it cannot be opened. */
  constructor(config: FileLogConfig, nowMs: () => number = Date.now) {
    this.#config = config;
    this.#nowMs = nowMs;
    this.#openedMs = nowMs();
    this.#descriptor = this.#open();
  }

  write(line: string): void {
    try {
      if (this.#isOver()) this.#rotate();
      this.#bytes += writeSync(this.#descriptor, `${line}\n`);
    } catch {
      // There is nowhere to say it.
    }
  }

  #isOver(): boolean {
    const { rotateBytes, rotateMs } = this.#config;
    const ageMs = this.#nowMs() - this.#openedMs;
    return (
      (rotateBytes > 0 && this.#bytes >= rotateBytes) || ageMs >= (rotateMs || durationMsDefault)
    );
  }

  #rotate(): void {
    const before = this.#descriptor;
    this.#prune();
    this.#descriptor = this.#open();
    this.#openedMs = this.#nowMs();
    this.#bytes = 0;
    closeSync(before);
  }

  #open(): number {
    const { dir, name, ext } = this.#parts();
    // Two files of one millisecond have names of their own, in their order.
    const ns = BigInt(this.#nowMs()) * 1_000_000n;
    this.#lastNs = ns > this.#lastNs ? ns : this.#lastNs + 1n;
    const path = join(dir, `${name}-${this.#lastNs}${ext}`);
    try {
      return openSync(path, "a", 0o640);
    } catch (failure) {
      const { code, message } = failure as NodeJS.ErrnoException;
      const reason = reasons[code ?? ""] ?? message;
      throw new Error(`open ${path}: ${reason}`, { cause: failure });
    }
  }

  /** Before the next one: at most as many as are to be kept. Below zero: none. */
  #prune(): void {
    const { rotateFilesMax } = this.#config;
    if (rotateFilesMax === 0) return;
    const { dir, name, ext } = this.#parts();
    const ours = readdirSync(dir === "" ? "." : dir)
      .filter((file) => file.startsWith(`${name}-`) && file.endsWith(ext))
      .filter((file) => /^\d+$/.test(file.slice(name.length + 1, file.length - ext.length)))
      .toSorted();
    const kept = Math.max(0, rotateFilesMax);
    for (const file of ours.slice(0, Math.max(0, ours.length - kept))) {
      rmSync(join(dir, file), { force: true });
    }
  }

  #parts(): { dir: string; name: string; ext: string } {
    const { file } = this.#config;
    const path = file.endsWith("/") ? `${file}consul` : file;
    const { name, ext } = parse(basename(path));
    return { dir: dirname(path), name, ext: ext || ".log" };
  }
}

const reasons: Record<string, string> = {
  ENOENT: "no such file or directory",
  EACCES: "permission denied",
};
