// What operators configure of autopilot. It is carried out by leaders (durable/leader).

import { type AutopilotConfig, autopilotConfigSchema } from "../../../model/autopilot.ts";
import type { Field } from "../../../model/schema.ts";
import { admitAll, command, defineArea } from "../../area.ts";
import type { PlainRead } from "../../read.ts";
import { requireRead } from "../../view.ts";
import { autopilotArchive } from "./archive.ts";
import {
  autopilotIndex,
  autopilotTable,
  encodeAutopilotRow,
  findAutopilotRow,
  putAutopilotConfig,
} from "./config.ts";

const config: Field = { type: autopilotConfigSchema };

/** Nobody waits for it; null until a leader has written it. */
const read: PlainRead<Record<string, never>> = {
  evaluate: (_args, view) => {
    requireRead(view, "operator", "");
    const row = findAutopilotRow(view);
    return {
      index: view.meta.index(autopilotIndex),
      body: row ? encodeAutopilotRow(row) : null,
      topics: [],
    };
  },
};

export const autopilot = defineArea({
  name: "autopilot",
  archive: autopilotArchive,
  tables: [autopilotTable],
  commands: {
    /** Proposed by a leader when there is no configuration. */
    "autopilot.initialize": command<{ config: AutopilotConfig }, true>({
      shape: { config },
      admit: admitAll,
      apply: (change, given) => {
        if (!findAutopilotRow(change)) putAutopilotConfig(change, given.config);
        return true;
      },
    }),
    /** `index`: only if the configuration's ModifyIndex is this one; "" for whatever it is. Answers whether it was. */
    "autopilot.set": command<{ config: AutopilotConfig; index: string }, boolean>({
      shape: { config, index: { type: { kind: "string" } } },
      admit: (given, { permit }) => {
        permit("operator", "", "write");
        return given;
      },
      apply: (change, given) => {
        const current = findAutopilotRow(change)?.modify_index ?? 0;
        if (given.index !== "" && given.index !== String(current)) return false;
        putAutopilotConfig(change, given.config);
        return true;
      },
    }),
  },
  reads: { "autopilot.config": read },
});
