// Three servers at addresses of IPv6, which are in brackets wherever a port follows.

import { networkInterfaces } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";

import { eventually } from "../support/eventually.ts";
import { agentPorts } from "../support/free-ports.ts";
import { Proconsul, stopAll, temporaryDirectory } from "../support/proconsul.ts";

afterAll(stopAll);

const isThere = Object.values(networkInterfaces())
  .flatMap((addresses) => addresses ?? [])
  .some(({ address }) => address === "::1");
if (!isThere) console.warn("\n!!! no IPv6 here, so servers at its addresses are NOT tested\n");

test.runIf(isThere)("three servers find each other, and say where they are", async () => {
  const ports = await Promise.all([agentPorts(), agentPorts(), agentPorts()]);
  const agents = await Promise.all(
    ports.map((own, n) =>
      Proconsul.spawn({
        ports: own,
        address: "[::1]",
        args: [
          ...["-server", "-bootstrap-expect", "3", "-node", `s${n}`, "-bind", "::1"],
          ...["-client", "::1", "-data-dir", join(temporaryDirectory(), "data")],
          ...["-retry-join", `[::1]:${ports[0]?.server}`],
        ],
      }),
    ),
  );
  await Promise.all(agents.map((agent) => agent.led(20_000)));
  const [first, second, third] = agents as [Proconsul, Proconsul, Proconsul];
  const addresses = ports.map(({ server }) => `[::1]:${server}`);
  await eventually(
    async () => {
      const peers = (await second.get("/v1/status/peers")).json<string[]>();
      return peers.toSorted().join() === addresses.toSorted().join();
    },
    { what: "all three are peers" },
  );
  expect(addresses).toContain((await third.get("/v1/status/leader")).json<string>());
  for (const agent of agents) expect((await agent.put("/v1/kv/a", "1")).status).toBe(200);
  const nodes = (await first.get("/v1/catalog/nodes")).json<{ Address: string }[]>();
  expect(nodes.map(({ Address }) => Address)).toEqual(["::1", "::1", "::1"]);
});
