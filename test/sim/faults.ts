// The fault injector: each kind strikes at its own random times until turmoil ends.

import type { ConfigurationChange } from "../../src/core/raft/membership.ts";
import type { FaultPeriods } from "./options.ts";
import type { Server } from "./server.ts";
import type { World } from "./world.ts";

export class FaultInjector {
  readonly #world: World;
  #over = false;
  /** How far clocks have been stepped in all: what a lease may outlive its due by. */
  steppedMs = 0;
  /** What the newest code knows. */
  #codeVersion = 1;

  constructor(world: World) {
    this.#world = world;
  }

  start(): void {
    const strikes: Record<keyof FaultPeriods, () => void> = {
      partitionMs: () => this.#partition(),
      hibernateMs: () => this.#any().hibernate(),
      crashMs: () => this.#likelyLeader().crash(this.#between(20, 3000)),
      twinMs: () => this.#likelyLeader().supersede(this.#between(500, 8000)),
      deployMs: () => this.#deploy(),
      exceptionMs: () => this.#likelyLeader().current?.failNextPass(),
      slowDiskMs: () => this.#slowDisk(),
      clockStepEveryMs: () => this.#stepClock(),
      membershipMs: () => this.#membership(),
      compactMs: () => this.#compact(),
      upgradeMs: () => this.#upgrade(),
    };
    for (const [kind, strike] of Object.entries(strikes)) {
      const periodMs = this.#world.options.faults[kind as keyof FaultPeriods];
      if (periodMs > 0) this.#schedule(periodMs, strike);
    }
  }

  #schedule(periodMs: number, strike: () => void): void {
    const { queue, random } = this.#world;
    queue.after(random.next() * 2 * periodMs, () => {
      if (this.#over) return;
      strike();
      this.#schedule(periodMs, strike);
    });
  }

  /** Everything is healed and started again. */
  end(): void {
    this.#over = true;
    const { network, servers, supervised } = this.#world;
    network.calm();
    for (const server of servers) {
      server.slowDiskUntil = 0;
      server.down = false;
      for (const twin of server.twins) server.end(twin, "superseded instance is stopped");
      if (server.codeVersion < this.#codeVersion) server.deploy(this.#codeVersion);
      if (server.current !== null) server.current.throwAt = null;
      else if (supervised) server.start();
    }
  }

  #between(low: number, high: number): number {
    return low + this.#world.random.next() * (high - low);
  }

  #any(): Server {
    const { servers, random } = this.#world;
    return servers[random.integer(0, servers.length)] as Server;
  }

  /** Faults are most telling where leadership is. */
  #likelyLeader(): Server {
    const leader = this.#world.leader()?.server.id;
    const server = leader === undefined ? undefined : this.#world.server(leader);
    return server && this.#world.random.next() < 0.6 ? server : this.#any();
  }

  #note(text: string): void {
    this.#world.trace.line(this.#world.queue.now, "fault", () => text);
  }

  #partition(): void {
    const { network, random, servers, queue } = this.#world;
    const alone = this.#likelyLeader();
    const style = random.next();
    const oneWay = random.next() < 0.25;
    const other = this.#any();
    let inside = servers.filter(() => random.next() < 0.4);
    if (style < 0.75) inside = [alone];
    let outside = servers.filter((server) => !inside.includes(server));
    if (style < 0.3) outside = outside.filter((server) => server === other); // one link only
    const names = (side: Server[]): string => side.map((server) => server.id).join(" ");
    this.#note(`partition: ${names(inside)} ${oneWay ? ">" : "|"} ${names(outside)}`);
    for (const one of inside) {
      for (const two of outside) {
        network.cut(one.id, two.id);
        if (!oneWay) network.cut(two.id, one.id);
      }
    }
    const scale = this.#world.options.preset === "lan" ? 1 : 4;
    queue.after(this.#between(100, 3000) * scale, () => {
      this.#note("partition heals");
      network.heal();
    });
  }

  #deploy(): void {
    this.#note("deploy: all restart");
    for (const server of this.#world.servers) {
      if (server.current !== null) server.end(server.current, "deploy");
    }
  }

  /** A rolling deploy: one server is left behind, and meets commands that it does not know. */
  #upgrade(): void {
    const { servers, queue } = this.#world;
    if (servers.some((server) => server.codeVersion < this.#codeVersion)) return;
    this.#codeVersion += 1;
    const version = this.#codeVersion;
    const behind = this.#any();
    this.#note(`code ${version} for all but ${behind.id}`);
    for (const server of servers) if (server !== behind) server.deploy(version);
    queue.after(this.#between(500, 8000), () => {
      if (behind.codeVersion < version) behind.deploy(version);
    });
  }

  #slowDisk(): void {
    const server = this.#likelyLeader();
    server.slowDiskUntil = this.#world.queue.now + this.#between(200, 3000);
    this.#note(`slow disk: ${server.id}`);
  }

  #stepClock(): void {
    const { options, queue } = this.#world;
    const server = this.#likelyLeader();
    const byMs = this.#between(-options.clockStepMs, options.clockStepMs);
    this.steppedMs += Math.abs(byMs);
    this.#note(`clock of ${server.id} steps by ${Math.round(byMs)} ms`);
    server.clock.step(queue.now, byMs);
  }

  #compact(): void {
    const instance = this.#likelyLeader().current;
    if (instance === null || instance.superseded || instance.raft.installing) return;
    this.#note(`${instance.server.id} compacts up to ${instance.view.appliedIndex}`);
    instance.compact(instance.view.appliedIndex);
  }

  #membership(): void {
    const { random } = this.#world;
    const leader = this.#world.leader();
    if (leader === null) return;
    const { members } = leader.raft.configuration;
    const chosen = members[random.integer(0, members.length)];
    if (chosen === undefined) return;
    if (random.next() < 0.25) {
      this.#note(`transfer to ${chosen.id}`);
      leader.pass((raft, now) => void raft.transferLeadership(chosen.id, now));
      return;
    }
    const change = this.#chooseChange(members, chosen.id);
    this.#note(`change: ${JSON.stringify(change)}`);
    leader.pass((raft, now) => void raft.proposeConfiguration(change, now));
  }

  #chooseChange(members: { id: string; voter: boolean }[], id: string): ConfigurationChange {
    const { random, servers } = this.#world;
    const learner = members.find((member) => !member.voter);
    if (learner !== undefined && random.next() < 0.7) return { type: "promote", id: learner.id };
    const absent = servers.find((server) => members.every((member) => member.id !== server.id));
    // A server that was removed may come back; it still has its log.
    if (absent !== undefined && random.next() < 0.6) {
      return { type: "addLearner", id: absent.id, name: absent.id, address: absent.id };
    }
    const few = members.filter((member) => member.voter).length <= 2;
    if (few || random.next() < 0.3) return { type: "update", id, name: id, address: id };
    return { type: "remove", id };
  }
}
