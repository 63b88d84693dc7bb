// How long it takes from nothing to a write that was accepted.

import { withAgents } from "./subjects.ts";
import { type Effort, type Row, toConsul, type Trial } from "./trials.ts";

export function startTrial({ rounds }: Effort): Trial {
  const row: Row = {
    ...{ name: "start", title: "start of agent -dev to the first write", unit: "ms" },
    reach: toConsul(2),
  };
  return {
    rows: [row],
    applies: (subject) => subject.isDatacenter,
    measure: async (subject, _wanted, report) => {
      for (let round = 0; round < rounds; round++) {
        const program = await subject.dev();
        const beganMs = performance.now();
        const tookMs = await withAgents([program], () =>
          Promise.resolve(performance.now() - beganMs),
        );
        report(row.name, { value: tookMs });
      }
    },
  };
}
