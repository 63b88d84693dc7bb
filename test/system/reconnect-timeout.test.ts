// Whoever stays failed for `reconnect_timeout` is a member no more, and whatever it had registered goes with it.

import { join } from "node:path";
import { afterAll, expect, test } from "vitest";

import { eventually } from "../support/eventually.ts";
import { agentPorts } from "../support/free-ports.ts";
import { Proconsul, stopAll, temporaryDirectory } from "../support/proconsul.ts";

afterAll(stopAll);

/** Longer than it takes to see that it has failed. */
const reconnectTimeout = "3s";

async function start(name: string, address: string, args: string[]): Promise<Proconsul> {
  const dataDir = join(temporaryDirectory(), "data");
  const where = ["-node", name, "-bind", address, "-client", address, "-data-dir", dataDir];
  const config = { reconnect_timeout: reconnectTimeout };
  return await Proconsul.spawn({
    ports: await agentPorts(),
    address,
    config,
    args: [...where, ...args],
  });
}

test("a killed agent is failed, then gone, and so are its services", async () => {
  const server = await start("server", "127.0.0.61", ["-server", "-bootstrap"]);
  await server.led();
  const joined = `127.0.0.61:${server.ports.serf_lan}`;
  const agent = await start("agent", "127.0.0.62", ["-retry-join", joined]);
  await agent.led();
  const service = { Name: "web" };
  expect((await agent.put("/v1/agent/service/register", service)).status).toBe(200);
  const nodesOf = async (service: string): Promise<number> =>
    (await server.get(`/v1/catalog/service/${service}`)).json<unknown[]>().length;
  await eventually(async () => (await nodesOf("web")) === 1, { what: "its service is known" });

  await agent.kill();
  const status = async (): Promise<unknown> => {
    const members = (await server.get("/v1/agent/members")).json<
      { Name: string; Status: number }[]
    >();
    return members.find(({ Name }) => Name === "agent")?.Status;
  };
  const failed = 4;
  await eventually(async () => (await status()) === failed, {
    what: "it is failed",
    limitMs: 30_000,
  });
  expect(await nodesOf("web")).toBe(1);
  await eventually(async () => (await status()) === undefined, {
    what: "it is gone",
    limitMs: 30_000,
  });
  expect(await nodesOf("web")).toBe(0);
  expect(server.output).toContain(
    `agent has been failed for ${reconnectTimeout} and is deregistered`,
  );
});
