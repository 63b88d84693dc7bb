// A few Rafts in one place, with storage in memory and a network that does nothing by itself:
// messages wait until a test delivers or drops them. Clocks stand still until a test moves them.

import { seededRandom } from "../../../src/core/lib/random.ts";
import { encodeConfiguration } from "../../../src/core/raft/membership.ts";
import { Raft } from "../../../src/core/raft/raft.ts";
import type { ReadResult, Ready } from "../../../src/core/raft/ready.ts";
import { lan } from "../../../src/core/raft/timing.ts";
import type { Timing } from "../../../src/core/raft/timing.ts";
import type { Entry, HardState, Message, MessageType } from "../../../src/core/raft/types.ts";
import { encodeCommand } from "../../sim/commands.ts";
import { DiskImage } from "../../sim/disk.ts";
import { ToyMachine } from "../../sim/toy-machine.ts";
import type { SnapshotCursor } from "../../sim/machine.ts";

export function putCommand(key: string, value: string): Uint8Array {
  return encodeCommand({ id: value, type: "put", key, value });
}

export class Peer {
  readonly cluster: Cluster;
  readonly id: string;
  readonly disk: DiskImage;
  raft: Raft;
  applied: Entry[] = [];
  reads: ReadResult[] = [];
  readies: Ready[] = [];
  #incarnation = 0;
  #cursors = new Map<number, SnapshotCursor>();

  constructor(cluster: Cluster, id: string, disk: DiskImage) {
    this.cluster = cluster;
    this.id = id;
    this.disk = disk;
    this.raft = this.#construct();
  }

  #construct(): Raft {
    this.#incarnation += 1;
    const { disk } = this;
    return new Raft({
      id: this.id,
      incarnation: this.#incarnation,
      timing: this.cluster.timing,
      random: this.cluster.random,
      log: disk,
      snapshots: {
        open: (stream) => void this.#cursors.set(stream, disk.machine.snapshot()),
        close: (stream) => void this.#cursors.delete(stream),
        next: (stream) => {
          const piece = this.#cursors.get(stream)?.next() ?? { data: new Uint8Array(), last: true };
          const index = disk.appliedIndex;
          const configuration = disk.configurationAt(index);
          const final = { index, term: disk.term(index) ?? 0, configuration };
          return { data: piece.data, final: piece.last ? final : null };
        },
      },
      hardState: disk.hardState,
      configuration: disk.configurationAt(disk.lastIndex()),
      commitIndex: disk.appliedIndex,
      appliedIndex: disk.appliedIndex,
      nowMs: this.cluster.now,
      fresh: disk.empty,
      installing: disk.installing,
    });
  }

  /** Memory is lost, the disk is kept. */
  restart(): void {
    this.raft = this.#construct();
  }

  /** Does what every Ready asks for; messages go to the cluster's hold. */
  drain(): void {
    for (;;) {
      const ready = this.raft.takeReady(this.cluster.now);
      if (ready.empty) return;
      this.readies.push(ready);
      this.disk.persist(ready);
      this.disk.apply(ready.committed);
      this.applied.push(...ready.committed);
      this.raft.acknowledge(ready);
      this.cluster.held.push(...ready.messages);
      this.reads.push(...ready.reads);
    }
  }

  propose(text: string): void {
    this.raft.propose([putCommand("k", text)], this.cluster.now);
    this.drain();
  }

  step(message: Message): void {
    this.raft.step(message, this.cluster.now);
    this.drain();
  }
}

export interface ClusterOptions {
  timing?: Timing;
  /** Logs to start with, as terms: [1, 1, 2] is three entries after the first configuration. */
  logs?: Record<string, number[]>;
  hardStates?: Record<string, HardState>;
}

export class Cluster {
  readonly timing: Timing;
  readonly random = seededRandom(1);
  readonly peers = new Map<string, Peer>();
  now = 10_000;
  held: Message[] = [];

  /** Servers that all know the same first configuration, and have been up for long. */
  constructor(ids: string[], options: ClusterOptions = {}) {
    this.timing = options.timing ?? lan;
    const members = ids.map((id) => ({ id, name: id, address: id, voter: true }));
    const data = encodeConfiguration({ members });
    for (const id of ids) {
      const disk = new DiskImage(new ToyMachine());
      disk.log.push({ index: 1, term: 1, kind: "configuration", data });
      disk.hardState = { term: 1, votedFor: null, leader: null };
      for (const term of options.logs?.[id] ?? []) {
        const index = disk.lastIndex() + 1;
        disk.log.push({ index, term, kind: "command", data: putCommand("k", `${term}.${index}`) });
        disk.hardState = { term, votedFor: null, leader: null };
      }
      disk.hardState = options.hardStates?.[id] ?? disk.hardState;
      this.peers.set(id, new Peer(this, id, disk));
    }
    this.now += this.timing.electionMinMs;
  }

  addEmpty(id: string): Peer {
    const peer = new Peer(this, id, new DiskImage(new ToyMachine()));
    this.peers.set(id, peer);
    return peer;
  }

  peer(id: string): Peer {
    const peer = this.peers.get(id);
    if (peer === undefined) throw new Error(`no server ${id}`);
    return peer;
  }

  /** Delivers everything, and what comes of it, until nothing is left; `drop` loses some. */
  settle(drop: (message: Message) => boolean = () => false): void {
    for (let count = 0; this.held.length > 0; count += 1) {
      if (count > 10_000) throw new Error("messages without end");
      const message = this.held.shift() as Message;
      if (!drop(message)) this.peers.get(message.to)?.step(message);
    }
  }

  /** Delivers what is held now, not what comes of it. */
  deliver(which: (message: Message) => boolean = () => true): void {
    const messages = this.held.filter(which);
    this.held = this.held.filter((message) => !which(message));
    for (const message of messages) this.peers.get(message.to)?.step(message);
  }

  drop(which: (message: Message) => boolean = () => true): void {
    this.held = this.held.filter((message) => !which(message));
  }

  ofType<T extends MessageType>(type: T): Extract<Message, { type: T }>[] {
    return this.held.filter((message) => message.type === type) as Extract<Message, { type: T }>[];
  }

  tick(byMs: number, only?: string): void {
    this.now += byMs;
    for (const peer of this.peers.values()) {
      if (only !== undefined && peer.id !== only) continue;
      peer.raft.tick(this.now);
      peer.drain();
    }
  }

  /** Lets one server's election timer run out, while the others' clocks stand still. */
  campaign(id: string): void {
    if (this.timing.heartbeatMs === null) {
      this.peer(id).raft.leaderUnreachable(this.now);
      this.peer(id).drain();
    } else this.tick(this.timing.electionMaxMs, id);
  }

  elect(id: string): void {
    this.campaign(id);
    this.settle();
  }
}
