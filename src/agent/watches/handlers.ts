// What a watch does with what it saw: runs a program with it at its stdin, or posts it. Of output the end is kept.

import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";

import { exitError } from "../go-reasons.ts";
import { runProgram, Tail } from "../program.ts";
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
  const shell = process.env["SHELL"] ?? "/bin/sh";
  const words = typeof command === "string" ? [shell, "-c", command] : command;
  return async (body, index, signal) => {
    const environment = { ...process.env, ...(index !== "" && { CONSUL_INDEX: index }) };
    const options = { outputBytesMax, signal, environment, input: body };
    try {
      const ended = await runProgram(words, options);
      return { failure: exitError(ended.code, ended.signal), output: ended.output };
    } catch (failure) {
      return { failure: (failure as Error).message, output: "" };
    }
  };
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
          const tail = new Tail(outputBytesMax);
          response.on("data", (chunk: Buffer) => tail.push(chunk));
          response.once("error", (failure) => failed(failure.message));
          response.once("end", () => {
            const status = response.statusCode ?? 0;
            const isFine = status >= 200 && status < 300;
            resolve({ failure: isFine ? null : `status ${status}`, output: tail.text() });
          });
        },
      );
      request.once("error", (failure) => failed(failure.message));
      request.end(body);
    });
}
