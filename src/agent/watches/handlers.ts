// What a watch does with what it saw: runs a program with it at its stdin, or posts it. Of output the end is kept.

import { spawn } from "node:child_process";
import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";

import { keepEnd } from "../../core/agent/checks/output.ts";
import type { HttpHandler, ScriptHandler } from "./definition.ts";

const outputBytesMax = 4_096;

export interface Handled {
  /** Null when it went well. */
  failure: string | null;
  output: string;
}

/** `index`: "" when there is none. Never rejects; an abort ends what runs. */
export type RunHandler = (body: string, index: string, signal: AbortSignal) => Promise<Handled>;

export function scriptRunner({ command }: ScriptHandler): RunHandler {
  const [program = "", ...args] =
    typeof command === "string" ? [process.env["SHELL"] ?? "/bin/sh", "-c", command] : command;
  return (body, index, signal) =>
    new Promise((resolve) => {
      const environment = { ...process.env, ...(index !== "" && { CONSUL_INDEX: index }) };
      const child = spawn(program, args, { detached: true, env: environment });
      const tail = new Tail();
      child.stdout.on("data", (chunk: Buffer) => tail.push(chunk));
      child.stderr.on("data", (chunk: Buffer) => tail.push(chunk));
      // It may end without reading.
      child.stdin.on("error", () => undefined);
      child.stdin.end(body);
      const kill = (): void => {
        try {
          if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
        } catch {
          // The group is gone already.
        }
      };
      signal.addEventListener("abort", kill, { once: true });
      const end = (failure: string | null): void => {
        signal.removeEventListener("abort", kill);
        resolve({ failure, output: tail.text });
      };
      child.once("error", (failure: NodeJS.ErrnoException) => end(startProblem(program, failure)));
      child.once("close", (code, killedBy) => {
        if (killedBy !== null) end(`signal: ${killedBy}`);
        else end(code === 0 ? null : `exit status ${code}`);
      });
    });
}

function startProblem(program: string, { code, message }: NodeJS.ErrnoException): string {
  if (code !== "ENOENT") return message;
  return program.includes("/")
    ? `fork/exec ${program}: no such file or directory`
    : `exec: ${JSON.stringify(program)}: executable file not found in $PATH`;
}

export function httpRunner(handler: HttpHandler): RunHandler {
  const { url, method, headers, timeoutMs, tlsSkipVerify } = handler;
  const send = url.startsWith("https:") ? httpsRequest : httpRequest;
  return (body, index, signal) =>
    new Promise((resolve) => {
      const failed = (reason: string): void =>
        resolve({ failure: `${method} ${JSON.stringify(url)}: ${reason}`, output: "" });
      const request = send(
        url,
        {
          method,
          headers: {
            "Content-Type": "application/json",
            ...(index !== "" && { "X-Consul-Index": index }),
            ...(headers as Record<string, string[]>),
            "Content-Length": String(Buffer.byteLength(body)),
          },
          agent: false,
          rejectUnauthorized: !tlsSkipVerify,
          signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
        },
        (response) => {
          const tail = new Tail();
          response.on("data", (chunk: Buffer) => tail.push(chunk));
          response.once("error", (failure) => failed(failure.message));
          response.once("end", () => {
            const status = response.statusCode ?? 0;
            const isFine = status >= 200 && status < 300;
            resolve({ failure: isFine ? null : `status ${status}`, output: tail.text });
          });
        },
      );
      request.once("error", (failure) => failed(failure.message));
      request.end(body);
    });
}

/** The last bytes, and how many there were. */
class Tail {
  #kept = Buffer.alloc(0);
  #total = 0;

  push(chunk: Buffer): void {
    this.#total += chunk.length;
    const joined = Buffer.concat([this.#kept, chunk]);
    this.#kept = Buffer.from(joined.subarray(Math.max(0, joined.length - outputBytesMax)));
  }

  get text(): string {
    return keepEnd(this.#kept, this.#total, outputBytesMax);
  }
}
