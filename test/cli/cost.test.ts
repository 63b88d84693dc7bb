// `cost`: a table of objects, and two sums; from an agent, which has none, an error.

import { expect, test } from "vitest";

import { deploymentArea } from "../../src/api/deployment.ts";
import type { DeploymentObjects } from "../../src/ports/deployment-objects.ts";
import { ApiClient } from "../support/api-client.ts";
import { runHere, throughRoutes } from "../support/cli-lab.ts";
import { MemoryCluster } from "../support/memory-cluster.ts";

const nowMs = Date.UTC(2026, 10, 26);

function registry(): ApiClient {
  const cluster = new MemoryCluster();
  const work = { startedMs: nowMs, workerRequests: 0, messages: 0, busyMs: 1_500, rowsWritten: 20 };
  const objects: DeploymentObjects = {
    work: () =>
      Promise.resolve([{ name: "dc1/server/0", kind: "server", requests: 2_000_000, ...work }]),
    reset: () => Promise.resolve(),
  };
  return new ApiClient({
    cluster,
    areas: [deploymentArea({ cluster, objects, nowMs: () => nowMs })],
  });
}

test("what each object did, and what all of them cost", async () => {
  const outcome = await runHere({ args: ["cost"] }, throughRoutes(registry()));
  expect(outcome).toEqual({
    code: 0,
    stderr: "",
    stdout: `Object        Requests  Messages  BusySeconds  RowsWritten  Dollars
dc1/server/0  2000000   0         1.5          20           0.3000

2026-11: $0.30 without what the plan includes;
the bill, with the plan: $5.15
`,
  });
});

test("an agent of one's own has no bill", async () => {
  const outcome = await runHere({ args: ["cost"] }, throughRoutes(new ApiClient()));
  expect(outcome).toMatchObject({ code: 1, stdout: "" });
  expect(outcome.stderr).toContain("Error getting costs");
});
