// What several regions say together. A status counts when at least k of them say that it is so bad, or worse; where
// they do not agree on anything, nothing is said.

import type { CheckStatus } from "../../src/core/agent/definitions.ts";
import type { RegionResult } from "./edge-check.ts";

export interface Verdict {
  status: CheckStatus;
  output: string;
}

const worstFirst: readonly CheckStatus[] = ["critical", "warning", "passing"];

/** More than half of them, unless the deployer says otherwise. */
export function agreeingOf(regions: number, wished: number | undefined): number {
  const majority = Math.floor(regions / 2) + 1;
  return Math.min(Math.max(wished ?? majority, 1), regions);
}

/** `results` by region, in the order in which they are to be told. */
export function verdictOf(
  results: ReadonlyMap<string, Pick<RegionResult, "status" | "output">>,
  agreeing: number,
): Verdict | null {
  let count = 0;
  for (const status of worstFirst) {
    const said = [...results.values()].filter((result) => result.status === status).length;
    count = status === "passing" ? said : count + said;
    if (count >= agreeing) return { status, output: outputOf(results) };
  }
  return null;
}

/** Each region's reason; one alone needs no name. */
function outputOf(results: ReadonlyMap<string, Pick<RegionResult, "status" | "output">>): string {
  const [only] = results.values();
  if (results.size === 1 && only) return only.output;
  return [...results]
    .map(([region, { status, output }]) => `${region}: ${status}: ${output.trimEnd()}`)
    .join("\n");
}
