// Why an instance is served, or not: facts, which the pages put into sentences of either language.

import type { Decider, Instance } from "./instance.ts";
import { checkState } from "../../core/model/instance-state.ts";
import { serves } from "./status.ts";
import type { InstanceState } from "../../core/model/instance-state.ts";

export interface Why {
  state: InstanceState;
  isServed: boolean;
  /** What makes it so: all checks in the state that decides; none where everything passes. */
  deciding: readonly Decider[];
  /** Whether the node's own checks pass. */
  isNodeWell: boolean;
  /** Other instances of the service that still serve. */
  othersServing: number;
  others: number;
  /** How much of the traffic it gets, among what is served; null when it gets none. */
  weight: number | null;
}

export function why(instance: Instance, all: readonly Instance[]): Why {
  const others = all.filter(({ key }) => key !== instance.key);
  const isServed = serves(instance.state);
  const { weights, state } = instance;
  return {
    state,
    isServed,
    deciding:
      state === "passing" ? [] : instance.checks.filter(({ check }) => checkState(check) === state),
    isNodeWell: instance.checks.every(
      ({ check, of }) => of !== "node" || checkState(check) === "passing",
    ),
    othersServing: others.filter((other) => serves(other.state)).length,
    others: others.length,
    weight: isServed ? (state === "warning" ? weights.warning : weights.passing) : null,
  };
}

const causeCharacters = 120;

/** What an output comes down to: in Go's errors, what stands after the last of their colons. */
export function causeOf(output: string): string {
  const [line = ""] = output.trim().split("\n");
  const [, last] = /: ([^:]+)$/.exec(line) ?? [];
  const isGo = /^(?:Get|Head|Post|Put|dial|read|write|rpc error)\b/.test(line);
  const cause = isGo && last !== undefined ? last : line;
  return cause.length > causeCharacters ? `${cause.slice(0, causeCharacters)}…` : cause;
}
