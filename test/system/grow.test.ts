// A datacenter of several machines takes in a fourth: as a learner first, with a vote when it has caught up.

import { afterAll, expect, test } from "vitest";

import { eventually } from "../support/eventually.ts";
import { agentPorts } from "../support/free-ports.ts";
import { machineOptions } from "../support/machines.ts";
import { Proconsul, stopAll } from "../support/proconsul.ts";

afterAll(stopAll);

test("a fourth server joins, gets everything that was written before, and counts", async () => {
  const ports = await Promise.all([agentPorts(), agentPorts(), agentPorts(), agentPorts()]);
  const founders = ports.slice(0, 3);
  const agents = await Promise.all(
    founders.map((own, n) => Proconsul.spawn(machineOptions(n, own, founders))),
  );
  await Promise.all(agents.map((agent) => agent.led()));
  const [first] = agents as [Proconsul];
  // More than the leader remembers in its last few rows.
  for (let n = 0; n < 50; n++) {
    await first.put(`/v1/kv/before/${n}`, `value ${n}`);
  }

  const fourth = await Proconsul.spawn(machineOptions(3, ports[3], founders));
  const address = `127.0.0.1:${fourth.ports.server}`;
  await eventually(
    async () => (await first.get("/v1/status/peers")).json<string[]>().includes(address),
    { what: "the fourth server is a peer" },
  );
  await eventually(
    async () => (await fourth.get("/v1/kv/before/49?stale&raw")).text === "value 49",
    { what: "the fourth server has what was written before it" },
  );
  const put = await fourth.put("/v1/kv/after", "by the fourth");
  expect(put.text).toBe("true");
  expect((await first.get("/v1/kv/after?raw")).text).toBe("by the fourth");
  await eventually(
    async () => (await first.get("/v1/catalog/service/consul")).json<unknown[]>().length === 4,
    { what: "the fourth server is in the catalog" },
  );
});
