// The platform port in a Node process: SQLite files through node:sqlite, real timers, HTTP to other hosts. What the
// ports of a server answer is here too, whoever listens on them: /rpc, /link and /gossip, and nothing else.

import { request as httpRequest, Agent } from "node:http";

import { CheckerObject } from "../../checker/checker-object.ts";
import { EdgeAgentObject } from "../../edge/edge-agent-object.ts";
import { isForPool } from "../../presence/pool-peers.ts";
import { LanPoolObject } from "../../presence/lan-pool-object.ts";
import { ServerObject } from "../../server/server-object.ts";
import { dial } from "./dial.ts";
import type { FrameCarrier } from "../host/host-socket.ts";
import { ObjectHost, type SocketInput } from "../host/object-host.ts";
import {
  type Answer,
  type HostedObject,
  noOperatorFiles,
  type ObjectKind,
  type Objects,
  type Platform,
  textOf,
} from "../platform.ts";
import type { Settings } from "../settings.ts";
import { lanPoolObject, serverCount, serverObject } from "../topology.ts";
import { policyViolationCode, type ServerDoor, socketTarget } from "./server-door.ts";
import { operatorFilesIn } from "./operator-files.ts";
import { nodeOutside } from "./outside.ts";
import { FileStores, MemoryStores, objectId, type Stores } from "./stores.ts";

export interface NodeHostOptions {
  /** Directory of the SQLite files; null: nothing is kept. */
  stateDir: string | null;
  /** Where operators leave files for these servers; null: nowhere. */
  operatorDir: string | null;
  /** As the classes of workerd are prefixed, on which the names of files depend. */
  workerName: string;
  settings: Settings;
  log(level: "info" | "warn" | "error", line: string): void;
}

export class NodeHost implements ServerDoor {
  readonly objects: ObjectHost;
  readonly #settings: Settings;
  readonly #stores: Stores;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 16 });

  constructor({ stateDir, operatorDir, workerName, settings, log }: NodeHostOptions) {
    this.#settings = settings;
    this.#stores = stateDir === null ? new MemoryStores() : new FileStores(stateDir, workerName);
    this.objects = new ObjectHost({
      timers: {
        set: (run, delayMs) => setTimeout(run, delayMs),
        clear: (handle) => clearTimeout((handle as NodeJS.Timeout | null) ?? undefined),
      },
      // Whatever is asked in one turn of the event loop shares one commit.
      soon: (run) => void setImmediate(run),
      nowMs: Date.now,
      random: Math.random,
      openStore: (address) => this.#stores.open(address),
      build: ({ kind }, platform) => builders[kind](platform, settings),
      post: (url, headers, body, timeoutMs) => post(this.#agent, { url, headers, body, timeoutMs }),
      dial,
      outside: nodeOutside,
      operatorFiles: operatorDir === null ? noOperatorFiles : operatorFilesIn(operatorDir),
      idOf: (address) => objectId(workerName, address),
      log,
    });
  }

  /** Wakes the servers, which campaign by themselves, and whoever has an alarm. Rejects when storage cannot be used. */
  async start(): Promise<void> {
    const { DEFAULT_DC: dc } = this.#settings;
    this.objects.resumeAlarms(this.#stores.armed());
    for (let n = 0; n < serverCount(this.#settings, dc); n++) {
      await this.objects.handle(serverObject(dc, n), "/rpc/status", "");
    }
  }

  /** Answers POST `path`, which is below /rpc. */
  async rpc(path: string, body: Uint8Array): Promise<Answer> {
    const dc = this.#settings.DEFAULT_DC;
    const object = isForPool(path) ? lanPoolObject(dc) : serverObject(dc, 0);
    return await this.objects.handle(object, path, body);
  }

  refusal(path: string, query: string): Answer | null {
    const target = socketTarget(this.#settings, path, query);
    return "status" in target ? target : null;
  }

  open(pathAndQuery: string, carrier: FrameCarrier): SocketInput {
    const [path = "", query = ""] = pathAndQuery.split("?", 2);
    const target = socketTarget(this.#settings, path, query);
    const opened = "status" in target ? target : this.objects.open(target, pathAndQuery, carrier);
    if (!("status" in opened)) return opened;
    carrier.close(policyViolationCode, textOf(opened.body));
    return { received: () => undefined, lost: () => undefined };
  }

  stop(): void {
    this.objects.stop();
    this.#stores.close();
    this.#agent.destroy();
  }
}

const builders: Record<ObjectKind, (platform: Platform, settings: Settings) => HostedObject> = {
  server: (platform, settings) => new ServerObject(platform, settings),
  lanPool: (platform, settings) => new LanPoolObject(platform, settings),
  checker: (platform, settings) => new CheckerObject(platform, settings),
  edgeAgent: (platform, settings) => new EdgeAgentObject(platform, settings),
};

interface PostRequest {
  url: string;
  headers: Record<string, string>;
  body: Parameters<Objects["post"]>[2];
  timeoutMs: number;
}

/** By node:http, whose requests cost a fraction of what `fetch` costs here. */
function post(agent: Agent, { url, headers, body, timeoutMs }: PostRequest): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const length = String(Buffer.byteLength(body));
    const outgoing = httpRequest(
      url,
      { method: "POST", agent, headers: { ...headers, "content-length": length } },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("error", reject);
        response.on("end", () => {
          clearTimeout(timer);
          resolve({ status: response.statusCode ?? 502, body: Buffer.concat(chunks) });
        });
      },
    );
    const timer = setTimeout(() => {
      outgoing.destroy(new Error(`no answer within ${timeoutMs} ms`));
    }, timeoutMs);
    outgoing.on("error", (failure) => {
      clearTimeout(timer);
      reject(failure);
    });
    outgoing.end(body);
  });
}
