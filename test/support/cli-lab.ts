// The command line of ours, run inside the test's own process, and answers in a form in which two runs can be compared.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { runCommandLine } from "../../src/cli/run.ts";
import type { Transport } from "../../src/cli/transport.ts";
import type { ApiClient } from "./api-client.ts";
import type { Step } from "./cli-step.ts";

export interface Outcome {
  code: number;
  stdout: string;
  stderr: string;
}

/** Requests go to the routes at once, without a socket. */
export function throughRoutes(client: ApiClient): Transport {
  return async (_connection, { method, path, headers, body }) => {
    const chunks = body === undefined || body instanceof Uint8Array ? [body ?? ""] : body;
    let text = "";
    for await (const chunk of chunks) text += Buffer.from(chunk).toString();
    const answer = await client.send(method, path, {
      headers: { ...headers },
      ...(method !== "GET" && { body: text }),
    });
    return {
      status: answer.status,
      header: (name) => answer.headers.get(name),
      body: (async function* () {
        yield await Promise.resolve(Buffer.from(answer.text));
      })(),
    };
  };
}

export async function runHere(
  { args, stdin = "" }: Step,
  transport: Transport,
  environment: Record<string, string> = {},
): Promise<Outcome> {
  const chunks: Buffer[] = [];
  let stderr = "";
  const code = await runCommandLine(args, {
    out: (text) => void chunks.push(Buffer.from(text)),
    err: (text) => void (stderr += text),
    stdin: async () => await Promise.resolve(Buffer.from(stdin)),
    environment,
    transport,
    interrupted: () => new AbortController().signal,
  });
  return { code, stdout: Buffer.concat(chunks).toString(), stderr };
}

/** Runs `body` in a directory that holds the step's files. */
export async function withFiles<Value>(
  files: Readonly<Record<string, string>>,
  body: (directory: string) => Promise<Value>,
): Promise<Value> {
  const directory = mkdtempSync(join(tmpdir(), "proconsul-cli-"));
  try {
    for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text);
    return await body(directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** The step with its files where they are: a test's process cannot change its directory. */
export function placed({ args, ...step }: Step, directory: string): Step {
  const names = new Set(Object.keys(step.files ?? {}));
  const inside = (word: string): string => {
    const [, at = "", name = ""] = /^((?:-[\w-]+=)?@?)(.*)$/s.exec(word) ?? [];
    return names.has(name) ? `${at}${directory}/${name}` : word;
  };
  return { ...step, args: args.map(inside) };
}

export type Recorded = Outcome & { args: string[] };

/** By scenario: what the real Consul printed. */
export function recordedAnswers(): Record<string, Recorded[]> {
  const text = readFileSync("test/fixtures/cli/answers.json", "utf8");
  return JSON.parse(text) as Record<string, Recorded[]>;
}

const changing: readonly [RegExp, string][] = [
  [/reset index: \d+/g, "reset index: N"],
  [/\/\S*\/proconsul-cli-\w+\//g, ""],
  [/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, "UUID"],
  [/\b(CreateIndex|ModifyIndex|Create Index|Modify Index)("?:?\s+)\d+/g, "$1$2N"],
  [/\b(Hash"?:\s+)"?[\w+/=]+/g, "$1HASH"],
  [/\bconsul\b|\bproconsul\b/g, "PROGRAM"],
  [/\w+, \d\d-\w{3}-\d\d \d\d:\d\d:\d\d UTC/g, "TIME"],
  [/\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?( [-+]\d{4})?( UTC|Z)?/g, "TIME"],
  [/127\.0\.0\.1:\d+/g, "LOOPBACK"],
];

/** Help is words of ours: only that it is printed counts. */
function withoutHelp(text: string): string {
  return text.replace(/^Usage:[^]*/m, "Usage…");
}

/** What two runs of the same step have in common. */
export function comparable({ code, stdout, stderr }: Outcome): Outcome {
  const plain = (text: string): string =>
    changing.reduce((rest, [pattern, by]) => rest.replace(pattern, by), withoutHelp(text));
  return { code, stdout: plain(stdout), stderr: plain(stderr) };
}
