// A deployment's objects in one process, on virtual time, without a platform: for tests that count what passes between
// objects and what they write, or that lose it, or deliver it twice.

import { EdgeAgentObject } from "../../durable/edge/edge-agent-object.ts";
import { ObjectHost } from "../../durable/platform/host/object-host.ts";
import { MemoryStores, objectId } from "../../durable/platform/node/stores.ts";
import {
  type Answer,
  type HostedObject,
  noOperatorFiles,
  noOutside,
  type ObjectAddress,
  type Platform,
  textOf,
} from "../../durable/platform/platform.ts";
import type { DatacenterSettings, Settings } from "../../durable/platform/settings.ts";
import { serverObject } from "../../durable/platform/topology.ts";
import { LanPoolObject } from "../../durable/presence/lan-pool-object.ts";
import { ServerObject } from "../../durable/server/server-object.ts";
import type { Sql } from "../../src/core/lib/sql.ts";
import type { LinkSocket } from "../../src/link/client.ts";
import { encodeRequests, type LinkReply } from "../../src/link/protocol.ts";
import { decodeServerFrame } from "../../src/link/server-frame.ts";
import { VirtualTime } from "./virtual-time.ts";

const startMs = Date.parse("2026-11-01T00:00:00Z");
/** What Workers ask; all else passes between objects. */
export const workerPath = "/rpc/requests";

export type Delivery = (deliver: () => Promise<Answer>, path: string) => Promise<Answer>;

export interface ObjectDatacenterOptions {
  datacenter: DatacenterSettings;
  /** What becomes of a call; absent: it is delivered. */
  delivery?: Delivery;
  /** Stands before an object. */
  wrap?(object: HostedObject): HostedObject;
  /** Stands before an object's database. */
  wrapSql?(sql: Sql): Sql;
}

export class ObjectDatacenter {
  readonly time = new VirtualTime();
  readonly settings: Settings;
  readonly host: ObjectHost;
  /** Every call of an object, in order. */
  readonly calls: { to: string; path: string }[] = [];
  readonly warnings: string[] = [];
  readonly #databases = new Map<string, Sql>();

  constructor({ datacenter, delivery, wrap, wrapSql }: ObjectDatacenterOptions) {
    const { time, calls, warnings } = this;
    this.settings = {
      DEFAULT_DC: "dc1",
      DATACENTERS: { dc1: datacenter },
      ACL: { defaultPolicy: "allow", keyListPolicy: false, masterToken: "" },
    };
    const stores = new MemoryStores();
    const deliver: Delivery = delivery ?? ((call) => call());
    class Host extends ObjectHost {
      override async handle(...request: Parameters<ObjectHost["handle"]>): Promise<Answer> {
        const [{ name: to }, path] = request;
        calls.push({ to, path });
        return await deliver(() => super.handle(...request), path);
      }
    }
    this.host = new Host({
      timers: time.timers,
      soon: (run) => void setImmediate(run),
      nowMs: () => startMs + time.nowMs(),
      random: Math.random,
      openStore: () => stores.open(),
      build: (address, platform) => {
        const sql = wrapSql?.(platform.sql) ?? platform.sql;
        this.#databases.set(address.name, sql);
        const object = this.#build(address, { ...platform, sql });
        return wrap?.(object) ?? object;
      },
      outside: noOutside,
      operatorFiles: noOperatorFiles,
      post: () => Promise.reject(new Error("there is no network")),
      dial: () => Promise.reject(new Error("there is no network")),
      idOf: (of) => objectId("proconsul", of),
      log: (level, line) => {
        if (level !== "info") warnings.push(line);
      },
    });
  }

  #build({ kind }: ObjectAddress, platform: Platform): HostedObject {
    if (kind === "server") return new ServerObject(platform, this.settings);
    if (kind === "lanPool") return new LanPoolObject(platform, this.settings);
    return new EdgeAgentObject(platform, this.settings);
  }

  /** Until there is a leader, and nothing is left to do for a new datacenter. */
  async lead(): Promise<void> {
    await this.write(0, { type: "kv.set", key: "warm", value: "", flags: "0" });
    await this.time.pass(3_000);
    this.calls.length = 0;
  }

  /** What server `n` answers a Worker, within 3 s. */
  async ask(n: number, request: object): Promise<LinkReply> {
    const body = encodeRequests([{ id: 1, ...request } as never]);
    const asking = this.host.call(serverObject("dc1", n), workerPath, body, null);
    await this.time.pass(3_000);
    const frame = decodeServerFrame(textOf((await asking).body));
    const [reply] = "replies" in frame ? frame.replies : [];
    if (!reply) throw new Error("no reply");
    return reply;
  }

  async write(n: number, command: object): Promise<LinkReply> {
    return await this.ask(n, { write: command });
  }

  async read<Body>(op: string, args: object): Promise<Body> {
    const reply = await this.ask(0, { read: op, args });
    if (!("body" in reply)) throw new Error(JSON.stringify(reply));
    return JSON.parse(reply.body ?? "null") as Body;
  }

  /** A link to server `n`, and what comes over it. */
  async link(n: number): Promise<{ socket: LinkSocket; replies: LinkReply[] }> {
    const socket = await this.host.connect(serverObject("dc1", n), "/link");
    const replies: LinkReply[] = [];
    socket.addEventListener("message", ({ data }) => {
      const frame = decodeServerFrame(String(data));
      if ("replies" in frame) replies.push(...frame.replies);
    });
    socket.accept?.();
    return { socket, replies };
  }

  count(path: string): number {
    return this.calls.filter((call) => call.path === path).length;
  }

  /** Rows that an object has written since it was constructed. */
  rowsWritten(name: string): number {
    const sql = this.#databases.get(name);
    return sql?.exec<{ n: number }>("SELECT total_changes() AS n")[0]?.n ?? 0;
  }
}
