// What a running agent takes over from a configuration that was read again, and whose its Unix sockets are.

import { createSocket } from "node:dgram";
import { once } from "node:events";
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as packet from "@leichtgewicht/dns-packet";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { loadAgentConfig } from "../../src/agent/config/load.ts";
import type { ResolvedAgentConfig } from "../../src/agent/config/types.ts";
import { DnsServer } from "../../src/agent/dns/server.ts";
import { Metrics } from "../../src/agent/metrics.ts";
import { makeState, reconfigure } from "../../src/agent/settings.ts";
import { own } from "../../src/agent/socket-owner.ts";
import { MemoryCluster } from "../support/memory-cluster.ts";
import { freePorts } from "../support/free-ports.ts";

const load = (text: string): ResolvedAgentConfig =>
  loadAgentConfig(["-dev", "-node", "n1", "-hcl", text], { hostName: "h", addresses: [] });

test("node meta and what is kept of output; identity stays", () => {
  const state = makeState(load('node_meta { rack = "1" }'));
  const { id } = state.node;
  state.rows.nodeInSync = true;
  reconfigure(state, load('node_meta { rack = "2" } discard_check_output = true datacenter = "x"'));
  expect(state.node).toMatchObject({ id, datacenter: "dc1", meta: { rack: "2" } });
  expect(state.settings.discardCheckOutput).toBe(true);
  // The catalog has the other one.
  expect(state.rows.nodeInSync).toBe(false);
});

test("filters of metrics", () => {
  const { telemetry } = load("");
  const metrics = new Metrics("consul", "n1", telemetry);
  expect(metrics.isTold("consul.x")).toBe(true);
  metrics.filter = load('telemetry { prefix_filter = ["-consul.x"] }').telemetry.filter;
  expect(metrics.isTold("consul.x")).toBe(false);
});

describe("Unix sockets", () => {
  let path: string;
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "proconsul-socket-"));
    path = join(directory, "socket");
    writeFileSync(path, "");
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  test("get mode, user and group", () => {
    const { uid, gid } = statSync(path);
    own(`unix://${path}`, { user: String(uid), group: String(gid), mode: "0640" });
    expect(statSync(path)).toMatchObject({ uid, gid });
    expect(statSync(path).mode & 0o777).toBe(0o640);
    own("127.0.0.1", { user: "nobody-there", group: "", mode: "" });
  });

  test.each([
    [{ user: "nobody-there", group: "", mode: "" }, "invalid user specified: nobody-there"],
    [{ user: "", group: "nobody-there", mode: "" }, "invalid group specified: nobody-there"],
    [{ user: "", group: "", mode: "999" }, "invalid mode specified: 999"],
  ])("%j cannot be", (owner, said) => {
    expect(() => own(`unix://${path}`, owner)).toThrow(`Failed setting up socket: ${said}`);
  });
});

test("how DNS is answered; the domain stays", async () => {
  const [port = 0] = await freePorts(1);
  const queries = new Metrics("consul", "n1").counter("dns.queries");
  const server = new DnsServer({ config: load(""), cluster: new MemoryCluster(), queries });
  await server.listen("127.0.0.1", port);
  const socket = createSocket("udp4");
  const minimum = async (): Promise<unknown> => {
    const question = { type: "A", name: "nope.service.consul" } as const;
    socket.send(packet.encode({ type: "query", id: 1, questions: [question] }), port, "127.0.0.1");
    const [answer] = (await once(socket, "message")) as [Buffer];
    const [soa] = packet.decode(answer).authorities ?? [];
    return (soa as { data?: { minimum?: number } } | undefined)?.data?.minimum;
  };
  expect(await minimum()).toBe(0);
  server.reload(load('dns_config { soa { min_ttl = 7 } } domain = "other."'));
  expect(await minimum()).toBe(7);
  socket.close();
  server.close();
});
