// Every step that needs no agent, through the routes in memory, against what the real Consul's command line printed.

import { describe, expect, test } from "vitest";

import { ApiClient } from "../support/api-client.ts";
import {
  comparable,
  placed,
  recordedAnswers,
  runHere,
  throughRoutes,
  withFiles,
} from "../support/cli-lab.ts";
import { scenarios } from "../support/cli-steps.ts";

const recorded = recordedAnswers();

describe.each(scenarios.filter(({ inMemory }) => inMemory))("$name", ({ name, steps }) => {
  test("prints what Consul prints", async () => {
    const transport = throughRoutes(new ApiClient());
    for (const [at, step] of steps.entries()) {
      const outcome = await withFiles(
        step.files ?? {},
        async (directory) => await runHere(placed(step, directory), transport),
      );
      const { args, ...expected } = recorded[name]?.[at] ?? {};
      expect(args).toEqual(step.args);
      expect(comparable(outcome), `step ${at}: ${step.args.join(" ")}`).toEqual(expected);
    }
  });
});
