// Runs the watches of the configuration: each asks this agent's own API, waits there for the next state, and hands on
// what is new, once. Others wait with it only for their own handlers.

import { request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";

import { indentedJson, parseExactJson } from "../../core/lib/exact-json.ts";
import type { AgentLog } from "../log.ts";
import { type WatchDefinition, watchFrom } from "./definition.ts";
import { httpRunner, scriptRunner } from "./handlers.ts";
import type { ViewAnswer } from "./views.ts";

const retryMs = 5_000;
const retryMaxMs = 180_000;
/** What a view may be; a longer one is an error. */
const answerBytesMax = 64 * 1024 * 1024;

export interface WatchesParts {
  log: AgentLog;
  /** Where this agent's API listens: `http://host:port` or `unix:///path`; null when it does not. */
  address: string | null;
  /** Waits between attempts. Replaced in tests. */
  delay?(ms: number, signal: AbortSignal): Promise<unknown>;
}

export class Watches {
  readonly #parts: Required<WatchesParts>;
  #running = new AbortController();

  constructor(parts: WatchesParts) {
    const delay = (ms: number, signal: AbortSignal): Promise<unknown> =>
      sleep(ms, undefined, { signal }).catch(() => undefined);
    this.#parts = { delay, ...parts };
  }

  /** Instead of those that ran before. Throws WatchError, and then leaves those alone. */
  start(given: readonly Readonly<Record<string, unknown>>[]): void {
    const { log, address } = this.#parts;
    const definitions = given.map(watchFrom);
    if (definitions.length > 0 && address === null) {
      throw new Error("watch plans require an HTTP or HTTPS endpoint");
    }
    if (definitions.some(({ isDeprecated }) => isDeprecated)) {
      log.warn(
        "agent",
        "The 'handler' field in watches has been deprecated and replaced with the 'args' field. " +
          "See https://www.consul.io/docs/agent/watches.html",
      );
    }
    this.stop();
    this.#running = new AbortController();
    const { signal } = this.#running;
    for (const definition of definitions) {
      void new Watch(definition, this.#parts, address ?? "").run(signal);
    }
  }

  /** As {@link start}, for a running agent. */
  reload(given: readonly Readonly<Record<string, unknown>>[]): void {
    try {
      this.start(given);
    } catch (failure) {
      const why = (failure as Error).message;
      throw new Error(`Failed reloading watches: ${why}`, { cause: failure });
    }
  }

  stop(): void {
    this.#running.abort();
  }
}

interface Answered extends ViewAnswer {
  index: string;
  hash: string;
}

class Watch {
  readonly #definition: WatchDefinition;
  readonly #parts: Required<WatchesParts>;
  readonly #address: string;

  constructor(definition: WatchDefinition, parts: Required<WatchesParts>, address: string) {
    this.#definition = definition;
    this.#parts = parts;
    this.#address = address;
  }

  async run(signal: AbortSignal): Promise<void> {
    const { view } = this.#definition;
    let position = "";
    let last: string | null = null;
    let failures = 0;
    while (!signal.aborted) {
      try {
        const answer = await this.#asked(position, signal);
        failures = 0;
        const next = view.waitsBy === "hash" ? answer.hash : answer.index;
        position = isBefore(next, position, view.waitsBy) ? "" : next;
        const text = indentedJson(view.data(answer), "");
        if (text === last) continue;
        last = text;
        await this.#handle(`${text}\n`, view.waitsBy === "index" ? next : "", signal);
      } catch (failure) {
        if (signal.aborted) return;
        failures += 1;
        await this.#complain(failure as Error, failures, signal);
      }
    }
  }

  async #complain(failure: Error, failures: number, signal: AbortSignal): Promise<void> {
    const waitMs = Math.min(retryMs * failures ** 2, retryMaxMs);
    this.#parts.log.error("agent", "Watch errored", {
      type: this.#definition.type,
      error: failure.message,
      retry: `${waitMs / 1_000}s`,
    });
    await this.#parts.delay(waitMs, signal);
  }

  async #handle(body: string, index: string, signal: AbortSignal): Promise<void> {
    const { handler } = this.#definition;
    const { log } = this.#parts;
    if (handler.kind === "http") {
      const { failure, output } = await httpRunner(handler)(body, index, signal);
      const fields = { watch: handler.url, output };
      if (failure === null) log.trace("agent", "http watch handler output", fields);
      else if (!signal.aborted) {
        log.error("agent", "Failed to invoke http watch handler", { ...fields, error: failure });
      }
      return;
    }
    const { command } = handler;
    const shown = typeof command === "string" ? command : `[${command.join(", ")}]`;
    const { failure, output } = await scriptRunner(handler)(body, index, signal);
    if (failure !== null && !signal.aborted) {
      const fields = { watch_handler: shown, error: failure };
      log.error("agent", "Failed to run watch handler", fields);
    }
    log.debug("agent", "watch handler output", { watch_handler: shown, output });
  }

  #asked(position: string, signal: AbortSignal): Promise<Answered> {
    const { view, datacenter, token } = this.#definition;
    const query = new URLSearchParams();
    for (const [name, value] of Object.entries(view.query)) {
      for (const one of [value ?? []].flat()) query.append(name, one);
    }
    if (datacenter !== "") query.set("dc", datacenter);
    if (position !== "") query.set(view.waitsBy, position);
    const path = `${view.path}?${query.toString()}`;
    return ask({ address: this.#address, path, token, accepts404: view.mayBeAbsent, signal });
  }
}

/** An index that went back belongs to another past: whatever is there is news. */
function isBefore(next: string, position: string, waitsBy: "index" | "hash"): boolean {
  if (waitsBy === "hash" || position === "") return false;
  return BigInt(next) < BigInt(position);
}

interface Question {
  address: string;
  path: string;
  token: string;
  accepts404: boolean;
  signal: AbortSignal;
}

function ask({ address, path, token, accepts404, signal }: Question): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const target = address.startsWith("unix://")
      ? { socketPath: address.slice("unix://".length) }
      : { host: hostOf(address), port: new URL(address).port };
    const headers = token === "" ? {} : { "X-Consul-Token": token };
    const asked = request({ ...target, path, headers, signal, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      response.on("data", (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes <= answerBytesMax) chunks.push(chunk);
        else response.destroy(new Error(`the view is longer than ${answerBytesMax} bytes`));
      });
      response.once("error", reject);
      response.once("end", () => {
        const text = Buffer.concat(chunks).toString("utf8");
        const { statusCode: status = 0 } = response;
        if (status !== 200 && !(status === 404 && accepts404)) {
          reject(new Error(`Unexpected response code: ${status} (${text.slice(0, 1_000)})`));
          return;
        }
        const header = (name: string): string => String(response.headers[name] ?? "");
        resolve({
          status,
          json: <Value>() => parseExactJson(text) as Value,
          index: header("x-consul-index") || "0",
          hash: header("x-consul-contenthash"),
        });
      });
    });
    asked.once("error", reject);
    asked.end();
  });
}

function hostOf(address: string): string {
  return new URL(address).hostname.replace(/^\[(.*)\]$/, "$1");
}
