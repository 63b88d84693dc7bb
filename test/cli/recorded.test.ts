// Every step that needs no agent, through the routes in memory, against what the real Consul's command line printed.

import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";

import { ApiClient } from "../support/api-client.ts";
import { comparable, type Outcome, runHere, throughRoutes, withFiles } from "../support/cli-lab.ts";
import { scenarios } from "../support/cli-steps.ts";

const recorded = JSON.parse(readFileSync("test/fixtures/cli/answers.json", "utf8")) as Record<
  string,
  (Outcome & { args: string[] })[]
>;

describe.each(scenarios.filter(({ inMemory }) => inMemory))("$name", ({ name, steps }) => {
  test("prints what Consul prints", async () => {
    const transport = throughRoutes(new ApiClient());
    const home = process.cwd();
    for (const [at, step] of steps.entries()) {
      const outcome = await withFiles(step.files ?? {}, async (directory) => {
        const args = step.args.map((word) => word.replace(/^@(?!\/)/, `@${directory}/`));
        return await runHere({ ...step, args }, transport);
      });
      const { args, ...expected } = recorded[name]?.[at] ?? {};
      expect(args).toEqual(step.args);
      expect(comparable(outcome), `step ${at}: ${step.args.join(" ")}`).toEqual(expected);
    }
    expect(process.cwd()).toBe(home);
  });
});
