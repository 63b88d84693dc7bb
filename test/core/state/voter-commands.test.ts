import { expect, test } from "vitest";
import { VoterCommands } from "../../../durable/raft/voter-commands.ts";
import { firstVersions } from "../../../src/core/state/versions.ts";

const knownCommands = { ...firstVersions, "note.put": 2 };
const member = (id: string, voter = true) => ({ id, name: id, address: id, voter });

/** `answers`: voter → what it announces; null: it does not answer. */
function voters(answers: Record<string, object | null>): {
  asked: string[];
  common: VoterCommands;
} {
  const asked: string[] = [];
  const members = [
    member("self"),
    member("learner", false),
    ...Object.keys(answers).map((id) => member(id)),
  ];
  const common = new VoterCommands({
    raft: { leader: "self", configuration: { members } },
    machine: { knownCommands },
    transport: {
      call: async ({ id }, op) => {
        asked.push(`${op} ${id}`);
        await Promise.resolve();
        const answer = answers[id];
        if (!answer) throw new Error("unreachable");
        return new TextEncoder().encode(JSON.stringify(answer));
      },
    },
  });
  return { asked, common };
}

test("only what every voter announces is common; learners and the leader itself are not asked", async () => {
  const { asked, common } = voters({ a: knownCommands, b: { ...knownCommands, "note.put": 1 } });
  const [first, second] = await Promise.all([common.common(), common.common()]);
  expect(first).toEqual({ ...firstVersions, "note.put": 1 });
  expect(second).toBe(first);
  expect(asked).toEqual(["commands a", "commands b"]);
});

test("a voter that does not answer may be older than the question", async () => {
  expect(await voters({ a: knownCommands, b: null }).common.common()).toEqual(firstVersions);
});

test("a leader without other voters asks nobody", async () => {
  expect(await voters({}).common.common()).toEqual(knownCommands);
});
