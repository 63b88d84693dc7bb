// Load, from a process of its own (generator.ts), so that it is not measured with what it loads.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

export interface HttpTask {
  kind: "http";
  host: string;
  port: number;
  /** Sent with every request; "" for none. */
  token: string;
  /** Keep-alive connections, each with one request in flight. */
  connections: number;
  /** The first fifth is warm-up and does not count. */
  durationMs: number;
  method: string;
  /** `{n}` is replaced by a running number below `spread`. */
  path: string;
  spread: number;
  /** `{n}` is replaced by a running number without bound: what is written is always new. */
  body: string;
}

export interface DnsTask {
  kind: "dns";
  host: string;
  port: number;
  /** Questions in flight, over one UDP socket. */
  inFlight: number;
  durationMs: number;
  /** Asked for its A records. */
  name: string;
}

/** Many clients wait for one key, which is then written. */
export interface WakeTask {
  kind: "wake";
  host: string;
  port: number;
  /** Sent with every request; "" for none. */
  token: string;
  waiting: number;
  key: string;
}

export type LoadTask = HttpTask | DnsTask | WakeTask;

export interface LoadResult {
  perSecond: number;
  /** Of latencies; a wake's begin with the write that wakes. */
  p50Ms: number;
  p99Ms: number;
  /** Requests answered while it was measured: without warm-up. */
  answered: number;
  errors: number;
  /** Questions without answer. */
  lost: number;
}

const generator = fileURLToPath(new URL("./generator.ts", import.meta.url));

/**
 * Rejects when the generator failed, or when an answer was an error.
 *
 * @param mark called when warm-up is over, and again when what is measured is.
 */
export async function load(task: LoadTask, mark: () => void = () => {}): Promise<LoadResult> {
  const child = spawn(process.execPath, [generator, JSON.stringify(task)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let last = "";
  createInterface({ input: child.stdout }).on("line", (line) => {
    if (line === "mark") mark();
    else last = line;
  });
  const [code] = (await once(child, "close")) as [number | null];
  if (code !== 0) throw new Error(`the load generator ended with ${code}`);
  const result = JSON.parse(last) as LoadResult;
  if (result.errors > 0) {
    throw new Error(`${result.errors} of ${result.answered} answers were errors`);
  }
  return result;
}
