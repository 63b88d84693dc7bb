// ACLs that count in every datacenter of a deployment. The primary's leader tells the others whenever one has changed,
// at once, and again by alarm while one does not answer: nobody asks for what is as it was, so that an idle deployment
// does nothing. A leader that begins in another datacenter asks once.

import type { JsonValue } from "../../src/core/model/json.ts";
import { limits } from "../../src/core/model/limits.ts";
import type { Applied, StateMachine } from "../../src/core/state/machine.ts";
import {
  globalObjects,
  replicaDifference,
  type ReplicaObject,
} from "../../src/core/state/tables/acl/replica.ts";
import type { Timers } from "../../src/ports/timers.ts";
import { askInTurn } from "../datacenters/in-turn.ts";
import type { AlarmClock } from "../platform/alarm-clock.ts";
import { isSuccess, type Platform, textOf } from "../platform/platform.ts";
import type { Settings } from "../platform/settings.ts";
import {
  datacentersKnown,
  primaryDatacenter,
  serverCount,
  serverObject,
} from "../platform/topology.ts";
import type { ServerRequests } from "../server/requests.ts";

const owner = "acl-replicas";
const retryMs = 15_000;
const patienceMs = 2_500;
const timeoutMs = 10_000;
/** Of the objects of one command: a row of the log holds no more than a megabyte. */
const commandLengthMax = 400_000;

export interface AclReplicasParts {
  machine: StateMachine;
  clock: AlarmClock;
  requests: ServerRequests;
  objects: Platform["objects"];
  timers: Timers;
  settings: Settings;
  datacenter: string;
  nowMs(): number;
  leads(): boolean;
  waitUntil(work: Promise<unknown>): void;
  warn(line: string): void;
}

export class AclReplicas {
  readonly #parts: AclReplicasParts;
  readonly #isPrimary: boolean;
  readonly #others: readonly string[];
  #telling: Promise<void> = Promise.resolve();
  #isStale = false;

  constructor(parts: AclReplicasParts) {
    this.#parts = parts;
    const { settings, datacenter } = parts;
    this.#isPrimary = primaryDatacenter(settings) === datacenter;
    this.#others = datacentersKnown(settings, datacenter).filter((dc) => dc !== datacenter);
    parts.clock.handle(owner, () => this.#tellAll());
  }

  /** This server begins to lead. */
  async begin(): Promise<void> {
    if (this.#others.length === 0 || !this.#parts.machine.ask(({ acl }) => acl.enabled)) return;
    if (this.#isPrimary) return this.#changed();
    const { settings, datacenter } = this.#parts;
    await this.#ask(primaryDatacenter(settings), "acl-wanted", { datacenter });
  }

  applied(entries: readonly Applied[]): void {
    if (!this.#isPrimary || this.#others.length === 0 || !this.#parts.leads()) return;
    if (entries.some(({ command }) => command?.type.startsWith("acl."))) this.#changed();
  }

  /** The leader of the primary is asked for what there is. */
  async wanted(datacenter: string): Promise<void> {
    if (this.#others.includes(datacenter)) await this.#tell(datacenter);
  }

  /** What the primary has. Only what differs is written, in commands of bounded length. */
  async take(primary: readonly ReplicaObject[]): Promise<void> {
    const { machine, requests } = this.#parts;
    if (this.#isPrimary) throw new Error("this is the primary datacenter");
    const differs = machine.ask((state) => replicaDifference(state, primary));
    for (const objects of batchesOf(differs)) {
      await requests.writeHere({ id: 0, write: { type: "acl.replicate", objects } });
    }
  }

  /** Told again when this server ends before the others have heard of it. */
  #changed(): void {
    const { clock, nowMs, waitUntil } = this.#parts;
    clock.set(owner, nowMs() + retryMs);
    this.#isStale = true;
    this.#telling = this.#telling.then(async () => {
      // Whoever changes much at once is told of all of it together.
      if (this.#isStale) await this.#tellAll();
    });
    waitUntil(this.#telling);
  }

  async #tellAll(): Promise<void> {
    const { clock, nowMs, leads } = this.#parts;
    if (!leads()) return;
    this.#isStale = false;
    const told = await Promise.all(this.#others.map((dc) => this.#tell(dc)));
    if (this.#isStale) return;
    if (told.every(Boolean)) clock.clear(owner);
    else clock.set(owner, nowMs() + retryMs);
  }

  async #tell(dc: string): Promise<boolean> {
    const { machine, warn } = this.#parts;
    const objects = machine.ask(globalObjects);
    const body = JSON.stringify(objects);
    if (body.length > limits.answerLengthMax) {
      warn(`ACLs are too many to be told to ${dc}: ${body.length} bytes`);
      return true;
    }
    try {
      await this.#ask(dc, "acl-replica", objects as unknown as JsonValue);
      return true;
    } catch (failure) {
      warn(
        `${dc} is not told of ACLs: ${failure instanceof Error ? failure.message : String(failure)}`,
      );
      return false;
    }
  }

  async #ask(dc: string, op: string, body: JsonValue): Promise<void> {
    const { objects, settings, timers } = this.#parts;
    await askInTurn({
      ...{ timers, patienceMs, timeoutMs },
      servers: Array.from({ length: serverCount(settings, dc) }, (_, n) => n),
      ask: async (n) => {
        const server = serverObject(dc, n);
        const answer = await objects.call(server, `/rpc/${op}`, JSON.stringify(body), null);
        if (!isSuccess(answer)) throw new Error(textOf(answer.body));
      },
      isFinal: () => false,
      missed: () => undefined,
    });
  }
}

function batchesOf(objects: readonly ReplicaObject[]): ReplicaObject[][] {
  const batches: ReplicaObject[][] = [];
  let length = Number.POSITIVE_INFINITY;
  for (const object of objects) {
    if (length + object.body.length > commandLengthMax) {
      batches.push([]);
      length = 0;
    }
    batches.at(-1)?.push(object);
    length += object.body.length + object.id.length;
  }
  return batches;
}
