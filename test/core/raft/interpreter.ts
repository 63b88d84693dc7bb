// Runs a scenario: one command a line. Messages wait until a line delivers them.
//
//   cluster a b c     servers that know each other       edge            use the quiescent preset
//   campaign a        its election timer runs out        elect a         … and everything arrives
//   propose a k=v     the leader takes a write           restart a       memory is lost
//   deliver           what is held arrives, once         settle          until nothing is held
//   partition a       nothing to or from a               heal
//   add d             an empty server
//   tick 100 [a]      time passes, for one or for all    compact a       its log, as far as applied
//   transfer a b      leadership                         change a addLearner d
//   state             one line for each server

import { edge, lan } from "../../../src/core/raft/timing.ts";
import type { Message } from "../../../src/core/raft/types.ts";
import type { DiskImage } from "../../sim/disk.ts";
import { describe } from "../../sim/trace.ts";
import { Cluster, putCommand } from "./cluster.ts";

class Scenario {
  readonly #out: string[] = [];
  #timing = lan;
  #cluster = new Cluster([]);
  #cut = new Set<string>();
  #keys = new Set<string>();

  run(lines: string[]): string {
    for (const line of lines) {
      this.#out.push(`> ${line}`);
      const [verb = "", ...words] = line.split(" ");
      this.#perform(verb, words);
    }
    return `${this.#out.join("\n")}\n`;
  }

  #perform(verb: string, words: string[]): void {
    const [first = "", second = "", third = ""] = words;
    const verbs: Record<string, () => void> = {
      edge: () => void (this.#timing = edge),
      cluster: () => void (this.#cluster = new Cluster(words, { timing: this.#timing })),
      campaign: () => this.#cluster.campaign(first),
      elect: () => this.#elect(first),
      propose: () => this.#propose(first, second),
      restart: () => this.#cluster.peer(first).restart(),
      deliver: () => this.#deliver(),
      settle: () => this.#settle(),
      add: () => void this.#cluster.addEmpty(first),
      partition: () => void this.#cut.add(first),
      heal: () => this.#cut.clear(),
      tick: () => this.#tick(Number(first), second),
      compact: () => this.#compact(first),
      transfer: () => this.#transfer(first, second),
      change: () => this.#change(first, second, third),
      state: () => this.#state(),
    };
    const perform = verbs[verb];
    if (perform === undefined) throw new Error(`no verb ${verb}`);
    perform();
  }

  #isCut(message: Message): boolean {
    return this.#cut.has(message.from) || this.#cut.has(message.to);
  }

  #elect(id: string): void {
    this.#cluster.elect(id);
    if (this.#timing.heartbeatMs !== null) return;
    this.#cluster.tick(this.#timing.electionMinMs);
    this.#cluster.settle();
  }

  #deliver(): void {
    const cluster = this.#cluster;
    const waiting = cluster.held;
    cluster.held = [];
    for (const message of waiting) this.#arrive(message);
  }

  #settle(): void {
    for (let count = 0; this.#cluster.held.length > 0 && count < 200; count += 1) {
      const message = this.#cluster.held.shift();
      if (message !== undefined) this.#arrive(message);
    }
  }

  #arrive(message: Message): void {
    const lost = this.#isCut(message);
    this.#out.push(`  ${describe(message)}${lost ? "  (lost)" : ""}`);
    if (!lost) this.#cluster.peers.get(message.to)?.step(message);
  }

  #propose(id: string, assignment: string): void {
    const [key = "k", value = ""] = assignment.split("=");
    const peer = this.#cluster.peer(id);
    const data = putCommand(key, value);
    this.#keys.add(key);
    this.#out.push(`  ${JSON.stringify(peer.raft.propose([data], this.#cluster.now))}`);
    peer.drain();
  }

  #tick(byMs: number, only: string): void {
    this.#cluster.tick(byMs, only === "" ? undefined : only);
  }

  #compact(id: string): void {
    const { disk } = this.#cluster.peer(id);
    disk.compact(disk.appliedIndex);
  }

  #transfer(from: string, to: string): void {
    const peer = this.#cluster.peer(from);
    peer.raft.transferLeadership(to, this.#cluster.now);
    peer.drain();
  }

  #change(leader: string, type: string, id: string): void {
    const peer = this.#cluster.peer(leader);
    const { now } = this.#cluster;
    const change =
      type === "addLearner"
        ? ({ type, id, name: id, address: id } as const)
        : { type: type as "promote" | "remove", id };
    this.#out.push(`  ${JSON.stringify(peer.raft.proposeConfiguration(change, now))}`);
    peer.drain();
  }

  #state(): void {
    for (const { id, raft, disk } of this.#cluster.peers.values()) {
      const members = raft.configuration.members.map(({ id, voter }) => id + (voter ? "" : "?"));
      const log = `log ${disk.baseIndex()}..${disk.lastIndex()} applied ${disk.appliedIndex}`;
      const head = `${id} ${raft.role} t${raft.term} leader ${raft.leader ?? "none"}`;
      this.#out.push(`  ${head} ${log} members ${members.join(" ")} [${this.#held(disk)}]`);
    }
  }

  /** What of all that was proposed a server holds. */
  #held(disk: DiskImage): string {
    const found = [...this.#keys].toSorted().map((key) => [key, disk.machine.get(key)?.value]);
    return found
      .filter(([, value]) => value !== undefined)
      .map((pair) => pair.join("="))
      .join(",");
  }
}

export function interpret(lines: string[]): string {
  return new Scenario().run(lines);
}
