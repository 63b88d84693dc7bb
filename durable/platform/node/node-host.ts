// The platform port in a Node process: SQLite files through node:sqlite, real timers, HTTP to other hosts. What the
// ports of a server answer is here too, whoever listens on them: /rpc, /link and /gossip, and nothing else.

import type { PeerTls } from "../../../src/link/peer-tls.ts";
import { CheckerObject } from "../../checker/checker-object.ts";
import { EdgeAgentObject } from "../../edge/edge-agent-object.ts";
import { isForPool } from "../../presence/pool-peers.ts";
import { LanPoolObject } from "../../presence/lan-pool-object.ts";
import { ServerObject } from "../../server/server-object.ts";
import type { FrameCarrier } from "../host/host-socket.ts";
import { ObjectHost, type SocketInput } from "../host/object-host.ts";
import {
  type Answer,
  type HostedObject,
  noOperatorFiles,
  type ObjectKind,
  type Platform,
  textOf,
} from "../platform.ts";
import type { Settings } from "../settings.ts";
import { lanPoolObject, serverCount, serverObject } from "../topology.ts";
import { policyViolationCode, type ServerDoor, socketTarget } from "./server-door.ts";
import { operatorFilesIn } from "./operator-files.ts";
import { nodeOutside } from "./outside.ts";
import { PeerWire } from "./peer-wire.ts";
import { FileStores, MemoryStores, objectId, type Stores } from "./stores.ts";

export interface NodeHostOptions {
  /** Directory of the SQLite files; null: nothing is kept. */
  stateDir: string | null;
  /** Where operators leave files for these servers; null: nowhere. */
  operatorDir: string | null;
  /** As the classes of workerd are prefixed, on which the names of files depend. */
  workerName: string;
  settings: Settings;
  /** How servers of other hosts are reached; null: in clear text. */
  tls: PeerTls | null;
  log(level: "info" | "warn" | "error", line: string): void;
}

export class NodeHost implements ServerDoor {
  readonly objects: ObjectHost;
  readonly #settings: Settings;
  readonly #stores: Stores;
  readonly #wire: PeerWire;

  constructor({ stateDir, operatorDir, workerName, settings, tls, log }: NodeHostOptions) {
    this.#settings = settings;
    const wire = new PeerWire(tls);
    this.#wire = wire;
    this.#stores = stateDir === null ? new MemoryStores() : new FileStores(stateDir, workerName);
    this.objects = new ObjectHost({
      timers: {
        // What is meant for later keeps no thread from ending that is told to.
        set: (run, delayMs) => setTimeout(run, delayMs).unref(),
        clear: (handle) => clearTimeout((handle as NodeJS.Timeout | null) ?? undefined),
      },
      // Whatever is asked in one turn of the event loop shares one commit.
      soon: (run) => void setImmediate(run),
      nowMs: Date.now,
      random: Math.random,
      openStore: (address) => this.#stores.open(address),
      build: ({ kind }, platform) => builders[kind](platform, settings),
      post: (url, headers, body, timeoutMs) => wire.post(url, headers, body, timeoutMs),
      dial: (url, headers) => wire.dial(url, headers),
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

  /** Other certificates, from now on. */
  useTls(tls: PeerTls | null): void {
    this.#wire.use(tls);
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
    this.#wire.close();
  }
}

const builders: Record<ObjectKind, (platform: Platform, settings: Settings) => HostedObject> = {
  server: (platform, settings) => new ServerObject(platform, settings),
  lanPool: (platform, settings) => new LanPoolObject(platform, settings),
  checker: (platform, settings) => new CheckerObject(platform, settings),
  edgeAgent: (platform, settings) => new EdgeAgentObject(platform, settings),
};
