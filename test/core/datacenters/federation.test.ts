// Datacenters that are joined over the WAN, with everything but the network between them.

import { beforeEach, describe, expect, test } from "vitest";

import {
  decodeNews,
  Federation,
  type FederationNews,
} from "../../../durable/datacenters/federation.ts";
import { type Directory, joinedDirectory } from "../../../durable/datacenters/directory.ts";
import type { FarServer, JoinedDatacenter } from "../../../src/core/model/datacenter.ts";
import { joinedDatacenters } from "../../../src/core/state/tables/federation/rows.ts";
import { StateHarness } from "../../support/state-harness.ts";
import { settled, VirtualTime } from "../../support/virtual-time.ts";

const day = 24 * 3_600_000;

let time: VirtualTime;
let network: Map<string, Leader>;

function serverOf(dc: string, n: number): FarServer {
  return { id: `${dc}-${n}`, name: `s${n}`, address: `10.0.${dc.slice(2)}.${n}:8300` };
}

/** The leader of a datacenter, with what its servers know. */
class Leader {
  readonly state = new StateHarness();
  readonly directory: Directory;
  readonly federation: Federation;
  readonly said: string[] = [];
  readonly joined: string[] = [];
  servers: FarServer[];
  isRunning = true;
  writes = 0;
  told = 0;

  constructor(name: string, { place = name, primary = name } = {}) {
    this.servers = [serverOf(place, 1)];
    const HOST = { servers: [], bootstrapExpect: 1, timing: "lan", startId: "" } as const;
    const settings = { DEFAULT_DC: name, DATACENTERS: {}, HOST: { ...HOST, servers: [] } };
    this.directory = joinedDirectory(settings, name, this.state.machine);
    this.federation = new Federation({
      ...{ datacenter: name, primary, machine: this.state.machine, timers: time.timers },
      nowMs: () => 1_000_000 + time.nowMs(),
      requests: { atLeader: async (_op, _body, here) => await here() },
      leads: () => this.isRunning,
      log: (_level, line) => void this.said.push(line),
      own: () => this.servers,
      write: async (command) => {
        this.writes += 1;
        this.state.run(command);
        await settled();
      },
      tell: async (target, news) =>
        await this.#tell("address" in target ? target.address : "", news),
      tellDatacenter: async (dc, news) => {
        const [target] = this.directory.servers(dc);
        return await this.#tell(target && "address" in target ? target.address : "", news);
      },
      joined: (dc) => void this.joined.push(dc),
    });
    network.set(this.servers[0]?.address ?? "", this);
  }

  /** Names of servers by datacenter. */
  get known(): Record<string, string[]> {
    const found = this.state.machine.ask(joinedDatacenters);
    return Object.fromEntries(
      found.map(({ name, servers }) => [name, servers.map(({ id }) => id)]),
    );
  }

  /** As it goes over the network. */
  async #tell(address: string, news: FederationNews): Promise<FederationNews> {
    this.told += 1;
    const there = network.get(address);
    if (!there) throw new Error("connection refused");
    const answer = await there.federation.hear(decodeNews(JSON.parse(JSON.stringify(news))));
    return decodeNews(JSON.parse(JSON.stringify(answer)));
  }
}

beforeEach(() => {
  time = new VirtualTime();
  network = new Map();
});

function address(dc: string): string {
  return serverOf(dc, 1).address;
}

describe("joining", () => {
  test("one call makes two datacenters known to each other", async () => {
    const [one, two] = [new Leader("dc1"), new Leader("dc2")];
    await one.federation.join(address("dc2"));
    const both = { dc1: ["dc1-1"], dc2: ["dc2-1"] };
    expect([one.known, two.known]).toEqual([both, both]);
    expect(one.directory.datacenters()).toEqual(["dc1", "dc2"]);
    expect(two.directory.datacenters()).toEqual(["dc2", "dc1"]);
    expect(two.directory.servers("dc1")).toEqual([{ address: address("dc1") }]);
    expect([one.joined, two.joined]).toEqual([["dc2"], ["dc1"]]);
  });

  test("a third one is known to all at once, whoever joined it", async () => {
    const [one, two, three] = [new Leader("dc1"), new Leader("dc2"), new Leader("dc3")];
    await one.federation.join(address("dc2"));
    await three.federation.join(address("dc2"));
    await time.pass(1);
    for (const { known } of [one, two, three]) {
      expect(Object.keys(known)).toEqual(["dc1", "dc2", "dc3"]);
    }
  });

  test("nothing is written or told before somebody joins, and nothing written while nothing changes", async () => {
    const [one, two] = [new Leader("dc1"), new Leader("dc2")];
    one.federation.begin();
    await time.pass(day);
    expect([one.writes, one.told]).toEqual([0, 0]);
    await one.federation.join(address("dc2"));
    await time.pass(60_000);
    const writes = [one.writes, two.writes];
    await time.pass(day);
    expect([one.writes, two.writes]).toEqual(writes);
    expect(one.told).toBeLessThanOrEqual(day / 30_000 + 5);
  });

  test("two datacenters of one name are refused, and a server of the own one is nobody new", async () => {
    const one = new Leader("dc1");
    const same = new Leader("dc1", { place: "dc7" });
    const refused = "both datacenters are named dc1: each needs a name of its own to be joined";
    await expect(one.federation.join(address("dc7"))).rejects.toThrow(refused);
    expect(same.known).toEqual({});
    await expect(one.federation.join(address("dc1"))).resolves.toBe(true);
    expect(Object.keys(one.known)).toEqual(["dc1"]);
  });

  test("a description of far ahead, which nobody could correct, is refused with all that comes with it", async () => {
    const one = new Leader("dc1");
    const of = (name: string, version: number): JoinedDatacenter => {
      return { name, version, primary: name, servers: [serverOf(name, 1)] };
    };
    const datacenters = [of("dc2", 1_000_000), of("dc3", Number.MAX_SAFE_INTEGER)];
    await expect(one.federation.hear({ from: "dc2", datacenters })).rejects.toThrow(
      "datacenter dc3 is not joined: its description is of more than a day from now",
    );
    expect(one.known).toEqual({});
  });

  test("who cannot be reached is told in words", async () => {
    const one = new Leader("dc1");
    await expect(one.federation.join("10.9.9.9:8302")).rejects.toThrow("connection refused");
  });
});

describe("what changes later", () => {
  test("other servers are heard of, whatever was known under a newer version", async () => {
    const [one, two] = [new Leader("dc1"), new Leader("dc2")];
    await one.federation.join(address("dc2"));
    two.servers = [serverOf("dc2", 1), serverOf("dc2", 2)];
    await time.pass(31_000);
    expect(one.known["dc2"]).toEqual(["dc2-1", "dc2-2"]);
    // The datacenter was founded anew, and its clock is behind.
    const again = new Leader("dc2");
    again.servers = [{ ...serverOf("dc2", 1), id: "dc2-new" }];
    await again.federation.join(address("dc1"));
    await time.pass(31_000);
    expect(one.known["dc2"]).toEqual(["dc2-new"]);
  });

  test("one that is away is told of once, comes back, and is forgotten after 72 h", async () => {
    const [one, two] = [new Leader("dc1"), new Leader("dc2")];
    await one.federation.join(address("dc2"));
    network.delete(address("dc2"));
    await time.pass(day);
    expect(one.said.filter((line) => line.includes("does not answer"))).toHaveLength(1);
    network.set(address("dc2"), two);
    await time.pass(31_000);
    expect(one.said.at(-1)).toBe("datacenter dc2 answers again");
    network.delete(address("dc2"));
    await time.pass(4 * day);
    expect(one.directory.datacenters(), "it speaks, though it cannot be reached").toHaveLength(2);
    two.isRunning = false;
    await time.pass(2 * day);
    expect(one.directory.datacenters()).toEqual(["dc1", "dc2"]);
    await time.pass(day + 120_000);
    expect(one.directory.datacenters()).toEqual(["dc1"]);
    expect(one.directory.servers("dc2")).toEqual([]);
  });

  test("who copies whom is known to the one that is copied", async () => {
    const one = new Leader("dc1");
    const two = new Leader("dc2", { primary: "dc1" });
    await two.federation.join(address("dc1"));
    const three = new Leader("dc3");
    await one.federation.join(address("dc3"));
    expect(one.directory.secondaries()).toEqual(["dc2"]);
    expect(three.directory.secondaries()).toEqual([]);
    expect(two.directory.secondaries()).toEqual([]);
  });
});

test("what is no news is refused before anything is done with it", () => {
  const server = { id: "a", name: "b", address: "10.0.0.1:8300" };
  const good = { name: "dc1", version: 1, primary: "dc1", servers: [server] };
  const broken: unknown[] = [
    null,
    {},
    { from: "dc1" },
    { from: 1, datacenters: [] },
    { from: "dc1", datacenters: [null] },
    {
      from: "dc1",
      datacenters: Array.from({ length: 257 }, (_, n) => ({ ...good, name: `dc${n}` })),
    },
    ...[
      { name: "DC 1" },
      { name: "x".repeat(65) },
      { version: 0 },
      { version: 1.5 },
      { primary: 7 },
      { servers: {} },
      { servers: [] },
      { servers: [{ ...server, address: "registry.example:8300/x" }] },
      { servers: [{ ...server, address: "10.0.0.1" }] },
      { servers: [{ ...server, id: "" }] },
      { servers: Array.from({ length: 65 }, () => server) },
    ].map((wrong) => ({ from: "dc1", datacenters: [{ ...good, ...wrong }] })),
  ];
  for (const news of broken) {
    expect(() => decodeNews(news), JSON.stringify(news).slice(0, 200)).toThrow(SyntaxError);
  }
  const rest = { ...good, more: true };
  expect(decodeNews({ from: "dc1", datacenters: [rest] }).datacenters).toEqual([good]);
});
