// Three servers under 64 writers while everything that an operator may do to them is done: the leader gives way, gossip
// keys and certificates are exchanged, a cable is pulled, a machine is replaced by one with an empty disk. Nothing that
// was acknowledged may be lost. How long nobody could write is printed, beside the same on the real Consul.
//
// It needs root and Linux's network namespaces; where there are none it says that it is left out.

import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";

import type { CertificateAndKey } from "../../src/connect/agent-certificates.ts";
import { agentAuthority, agentCertificate, writeCertificate } from "../support/agent-tls.ts";
import { consulBinary } from "../support/consul.ts";
import { eventually } from "../support/eventually.ts";
import { canMakeNetworks, HostNetwork, type NetworkHost } from "../support/namespaces.ts";
import {
  mainFile,
  Proconsul,
  type StartOptions,
  stopAll,
  temporaryDirectory,
} from "../support/proconsul.ts";
import { Writers } from "../support/writers.ts";

const ports = { http: 8500, dns: 8600, server: 8300, edge: -1, serf_lan: 8301, serf_wan: 8302 };
const writers = 64;
const cutMs = 5_000;
/** Until a group is complete again. Consul removes dead servers, and gives newcomers a vote, every ten seconds. */
const completeMs = 60_000;

const isPossible = canMakeNetworks();
const network = isPossible ? new HostNetwork() : null;
afterAll(async () => {
  await stopAll();
  network?.remove();
});

interface Server {
  Node: string;
  Leader: boolean;
  Voter: boolean;
}

/** What its machines run. */
type Program = Required<Pick<StartOptions, "command" | "args" | "isConsul">>;

// Of the runtimes it is the one whose servers can show certificates.
const ours: Program = {
  ...{ command: [process.execPath, mainFile], args: ["-runtime", "node"], isConsul: false },
};

class Machine {
  readonly name: string;
  readonly host: NetworkHost;
  readonly #program: Program;
  readonly #config: Record<string, unknown>;
  readonly #folder = temporaryDirectory();
  agent!: Proconsul;

  constructor(name: string, host: NetworkHost, program: Program, config: Record<string, unknown>) {
    [this.name, this.host, this.#program, this.#config] = [name, host, program, config];
  }

  /** What it shows, and whom it trusts, from its next start or reload on. */
  async give(trusted: readonly CertificateAndKey[], authority: CertificateAndKey): Promise<void> {
    const name = this.#config.server === true ? "server.dc1.consul" : "client.dc1.consul";
    writeCertificate(this.#folder, "agent", await agentCertificate(authority, name));
    const authorities = trusted.map(({ certificate }) => certificate).join("");
    writeFileSync(join(this.#folder, "ca.pem"), authorities);
  }

  async start(): Promise<void> {
    const { address, command } = this.host;
    this.agent = await Proconsul.spawn({
      ...this.#program,
      ...{ command: [...command, ...this.#program.command], ports, address },
      config: {
        ...this.#config,
        ...{ node_name: this.name, bind_addr: address, client_addr: address },
        data_dir: join(this.#folder, "data"),
        ca_file: join(this.#folder, "ca.pem"),
        cert_file: join(this.#folder, "agent.pem"),
        key_file: join(this.#folder, "agent-key.pem"),
      },
    });
  }

  /** Lists so many members that are alive: whoever is not heard of is not given a key, either. */
  async knows(count: number): Promise<void> {
    const alive = 1;
    await eventually(
      async () => {
        const members = (await this.agent.get("/v1/agent/members")).json<{ Status: number }[]>();
        return members.filter(({ Status }) => Status === alive).length === count;
      },
      { what: `${this.name} knows all members`, limitMs: 30_000 },
    );
  }

  async reload(): Promise<void> {
    expect((await this.agent.put("/v1/agent/reload")).status).toBe(200);
  }
}

class Datacenter {
  readonly clients: Machine[];
  servers: Machine[];
  readonly #machine: (name: string, more: Record<string, unknown>) => Machine;
  readonly #loads: Writers[];
  #authority: CertificateAndKey;
  #key: string;

  private constructor(program: Program, authority: CertificateAndKey) {
    this.#authority = authority;
    this.#key = randomBytes(32).toString("base64");
    const common = {
      retry_join: [] as string[],
      retry_interval: "1s",
      log_level: "warn",
      encrypt: this.#key,
      ...{ verify_incoming_rpc: true, verify_outgoing: true, verify_server_hostname: true },
      // One address has all the writers.
      ...{ limits: { http_max_conns_per_client: 1_000 }, performance: { raft_multiplier: 1 } },
    };
    this.#machine = (name, more) =>
      new Machine(name, (network as HostNetwork).add(), program, { ...common, ...more });
    const founding = { server: true, bootstrap_expect: 3, autopilot };
    this.servers = [0, 1, 2].map((n) => this.#machine(`server-${n}`, founding));
    this.clients = [0, 1].map((n) => this.#machine(`client-${n}`, {}));
    common.retry_join.push(...this.servers.map(({ host }) => host.address));
    this.#loads = this.clients.map(({ name }) => new Writers(name));
  }

  static async start(program: Program): Promise<Datacenter> {
    const datacenter = new Datacenter(program, await agentAuthority());
    const machines = [...datacenter.servers, ...datacenter.clients];
    for (const machine of machines) {
      await machine.give([datacenter.#authority], datacenter.#authority);
    }
    await Promise.all(machines.map((machine) => machine.start()));
    await Promise.all(machines.map(({ agent }) => agent.led(30_000)));
    await datacenter.hasVoters("server-0", "server-1", "server-2");
    for (const machine of machines) await machine.knows(machines.length);
    for (const [n, load] of datacenter.#loads.entries()) {
      load.start(writers / 2, datacenter.clients[n]?.agent.url ?? "", true);
    }
    await datacenter.goesOn();
    return datacenter;
  }

  /** Writes through both clients are accepted. */
  async goesOn(): Promise<void> {
    for (const load of this.#loads) {
      const wanted = load.acknowledged.size + 200;
      const limits = { what: "writes are accepted", limitMs: 30_000 };
      await eventually(() => load.acknowledged.size >= wanted, limits);
    }
  }

  async hasVoters(...names: string[]): Promise<void> {
    await eventually(
      async () => {
        const voters = (await this.#group()).filter(({ Voter }) => Voter);
        return (
          voters
            .map(({ Node }) => Node)
            .toSorted()
            .join() === names.join()
        );
      },
      { what: `the voters are ${names.join()}`, limitMs: completeMs, intervalMs: 250 },
    );
  }

  async #group(): Promise<Server[]> {
    const answer = await this.clients[0]?.agent.get("/v1/operator/raft/configuration");
    return answer?.status === 200 ? answer.json<{ Servers: Server[] }>().Servers : [];
  }

  async leader(): Promise<Machine> {
    return await eventually(
      async () => {
        const leading = (await this.#group()).find(({ Leader }) => Leader)?.Node;
        return this.servers.find(({ name }) => name === leading);
      },
      { what: "there is a leader", limitMs: 30_000 },
    );
  }

  async follower(): Promise<Machine> {
    const { name: leading } = await this.leader();
    return this.servers.find(({ name }) => name !== leading) as Machine;
  }

  async exchangeKeys(): Promise<void> {
    const [{ agent }] = this.servers as [Machine];
    const next = randomBytes(32).toString("base64");
    for (const [method, Key] of [
      ["POST", next],
      ["PUT", next],
      ["DELETE", this.#key],
    ] as const) {
      const answer = await agent.put("/v1/operator/keyring", { Key }, { method });
      expect([answer.status, answer.text]).toEqual([200, ""]);
    }
    this.#key = next;
  }

  /** As an operator does: first both are trusted, then the new one is shown, then it alone is trusted. */
  async exchangeCertificates(): Promise<void> {
    const [old, next] = [this.#authority, await agentAuthority()];
    for (const [trusted, shown] of [
      [[old, next], old],
      [[old, next], next],
      [[next], next],
    ] as const) {
      for (const machine of [...this.servers, ...this.clients]) {
        await machine.give(trusted, shown);
        await machine.reload();
      }
    }
    this.#authority = next;
  }

  async cut({ host }: Machine): Promise<void> {
    host.cut();
    const endMs = performance.now() + cutMs;
    const isOver = (): boolean => performance.now() >= endMs;
    await eventually(isOver, { what: "the cut is over", limitMs: 2 * cutMs });
    host.mend();
  }

  /** A machine that is gone for good; another one, with nothing on its disk and another key, takes its place. */
  async replace(gone: Machine): Promise<void> {
    await gone.agent.kill();
    const machine = this.#machine("server-3", { server: true, autopilot, encrypt: this.#key });
    await machine.give([this.#authority], this.#authority);
    await machine.start();
    this.servers = [...this.servers.filter((server) => server !== gone), machine];
    await this.hasVoters(...this.servers.map(({ name }) => name).toSorted());
  }

  /** What was acknowledged and is not there, and how it was for those who wrote. */
  async end(): Promise<{ lost: string[]; said: string }> {
    await Promise.all(this.#loads.map((load) => load.stop()));
    const lost: string[] = [];
    for (const load of this.#loads)
      lost.push(...(await load.lost(this.clients[0]?.agent.url ?? "")));
    const total = this.#loads.reduce((sum, { acknowledged }) => sum + acknowledged.size, 0);
    const failed = this.#loads.reduce((sum, { failures }) => sum + failures.length, 0);
    const gaps = this.#loads.map(({ longestGapMs }) => `${(longestGapMs / 1_000).toFixed(2)} s`);
    await Promise.all([...this.clients, ...this.servers].map(({ agent }) => agent.stop()));
    const said = `${total} writes, ${failed} refused; longest gap at each agent: ${gaps.join(", ")}`;
    return { lost, said };
  }
}

const autopilot = { server_stabilization_time: "1s" };

async function turmoil(program: Program): Promise<string> {
  const datacenter = await Datacenter.start(program);
  // Consul 1.8 cannot be told to.
  if (!program.isConsul) {
    const { agent } = await datacenter.leader();
    expect(
      (await agent.put("/v1/operator/raft/transfer-leader", "", { method: "POST" })).status,
    ).toBe(200);
    await datacenter.goesOn();
  }
  await datacenter.exchangeKeys();
  await datacenter.goesOn();
  await datacenter.exchangeCertificates();
  await datacenter.goesOn();
  await datacenter.cut(await datacenter.follower());
  await datacenter.goesOn();
  await datacenter.cut(await datacenter.leader());
  await datacenter.goesOn();
  await datacenter.replace(await datacenter.follower());
  await datacenter.goesOn();
  const { lost, said } = await datacenter.end();
  expect(lost).toEqual([]);
  return said;
}

describe.runIf(isPossible)("64 writers", { timeout: 240_000 }, () => {
  test("lose nothing, whatever is done to the servers", async () => {
    console.log(`turmoil: ${await turmoil(ours)}`);
  });

  const binary = consulBinary();
  test.runIf(binary !== null)("nor at the real Consul", async () => {
    const said = await turmoil({ command: [binary as string], args: [], isConsul: true });
    console.log(`turmoil, Consul, whose leader is not told to give way: ${said}`);
  });
});
