// docs/coverage.md says what exists. This holds it against the route table and against the tests it names.

import { existsSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";

import { agentArea } from "../src/api/agent.ts";
import { deploymentArea, type DeploymentParts } from "../src/api/deployment.ts";
import { deploymentKeyArea, type DeploymentKeyParts } from "../src/api/deployment-keys.ts";
import { apiAreas } from "../src/api/index.ts";
import { contents } from "../src/cli/contents.ts";
import type { Group } from "../src/cli/entries.ts";
import type { LocalAgent } from "../src/ports/local-agent.ts";
import type { LeafSource } from "../src/ports/leaf-source.ts";
import type { Cluster } from "../src/ports/cluster.ts";

const text = readFileSync("docs/coverage.md", "utf8");

interface Row {
  what: string;
  built: string;
  provedBy: string;
}

const rows: Row[] = text
  .split("\n")
  .filter((line) => line.startsWith("| ") && !line.startsWith("| what"))
  .map((line) => {
    const [what = "", built = "", provedBy = ""] = line
      .split("|")
      .slice(1)
      .map((cell) => cell.trim());
    return { what, built, provedBy };
  });

/** `GET /v1/kv/:rest`, one for each endpoint and method. */
function endpoints(): string[] {
  const areas = apiAreas({
    cluster: {} as Cluster,
    nodeName: "n",
    areas: [
      agentArea({} as LocalAgent),
      deploymentArea({} as DeploymentParts),
      deploymentKeyArea({} as DeploymentKeyParts),
    ],
    leaves: {} as LeafSource,
    random: () => 0,
    uuid: () => "",
    onError: () => undefined,
  });
  return areas.flatMap((area) =>
    Object.entries(area).flatMap(([path, endpoint]) =>
      Object.keys(endpoint).map((method) => `${method} ${path}`),
    ),
  );
}

test("every endpoint of the route table has a row, and every row of an endpoint exists", () => {
  const listed = rows
    .filter(({ what, built }) => /^`(GET|PUT|POST|DELETE) \//.test(what) && built !== "no")
    .map(({ what }) => what.replaceAll("`", ""));
  expect(listed.toSorted()).toEqual(endpoints().toSorted());
});

/** `kv get`, one for each command that does something. */
function commands(members: Group["members"], path = ""): string[] {
  return Object.entries(members).flatMap(([name, entry]) =>
    "load" in entry ? [path + name] : commands(entry.members, `${path}${name} `),
  );
}

test("every command has a row, and every row of a command exists", () => {
  const listed = rows
    .filter(({ what, built }) => what.startsWith("`proconsul ") && built !== "no")
    .map(({ what }) => what.replaceAll("`", "").replace("proconsul ", ""));
  expect(listed.toSorted()).toEqual(commands(contents).toSorted());
});

test("every row that is built names a test that exists", () => {
  expect(rows.length).toBeGreaterThan(80);
  const unproved = rows
    .filter(({ built }) => built === "yes")
    .filter(({ provedBy }) => {
      const files = [...provedBy.matchAll(/`([^`]+)`/g)].map(([, file]) => file ?? "");
      return files.length === 0 || !files.every((file) => existsSync(file));
    })
    .map(({ what }) => what);
  expect(unproved).toEqual([]);
});

test("what is not built names no test", () => {
  const claimed = rows.filter(({ built, provedBy }) => built === "no" && provedBy !== "");
  expect(claimed).toEqual([]);
});
