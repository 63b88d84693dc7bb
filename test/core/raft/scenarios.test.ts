// Scenarios as readable text: each line of a scenario is a command, and the transcript shows what
// every server did. Rewritten with `npm test -- -u`, and reviewed as a diff.

import { describe, expect, test } from "vitest";
import { interpret } from "./interpreter.ts";

const scenarios: Record<string, string[]> = {
  "an election": ["cluster a b c", "campaign a", "deliver", "deliver", "deliver", "state"],
  "one write": [
    "cluster a b c",
    "elect a",
    "propose a x=1",
    "deliver",
    "deliver",
    "deliver",
    "deliver",
    "state",
  ],
  "a leader is cut off and comes back": [
    "cluster a b c",
    "elect a",
    "partition a",
    "propose a lost=1",
    "tick 1000 b",
    "settle",
    "propose b kept=1",
    "settle",
    "heal",
    "tick 100 b",
    "settle",
    "state",
  ],
  "pre-vote protects a leader that works": [
    "cluster a b c",
    "elect a",
    "partition c",
    "tick 100 a",
    "settle",
    "tick 900 c",
    "heal",
    "tick 1000 c",
    "settle",
    "state",
  ],
  "leadership is transferred": ["cluster a b c", "elect a", "transfer a b", "settle", "state"],
  "a server is added and promoted": [
    "cluster a b",
    "elect a",
    "add c",
    "change a addLearner c",
    "settle",
    "change a promote c",
    "settle",
    "propose a x=1",
    "settle",
    "state",
  ],
  "a snapshot for a server that is new": [
    "cluster a b",
    "elect a",
    "propose a x=1",
    "propose a y=2",
    "settle",
    "compact a",
    "add c",
    "change a addLearner c",
    "settle",
    "state",
  ],
  "a quiescent group stands down": [
    "edge",
    "cluster a b c",
    "elect a",
    "propose a x=1",
    "settle",
    "state",
  ],
  "a quiescent leader dies and is missed": [
    "edge",
    "cluster a b c",
    "elect a",
    "partition a",
    "tick 60000",
    "settle",
    "campaign b",
    "deliver",
    "tick 2000 c",
    "settle",
    "state",
  ],
  "a leader hibernates and leads on": [
    "edge",
    "cluster a b c",
    "elect a",
    "restart a",
    "propose a x=1",
    "settle",
    "state",
  ],
};

describe("scenarios", () => {
  test.for(Object.entries(scenarios))("%s", async ([name, lines]) => {
    const file = `./scenarios/${name.replaceAll(" ", "-")}.txt`;
    await expect(interpret(lines)).toMatchFileSnapshot(file);
  });
});
