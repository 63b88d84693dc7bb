// Autopilot's configuration in archives. It has no index of its own there but that of its record.

import { type AutopilotConfig, autopilotConfigSchema } from "../../../model/autopilot.ts";
import { raftIndexes, recordTypes } from "../../archive/format.ts";
import type { AreaArchive } from "../../archive/kinds.ts";
import { indexed, pack, unpack } from "../../archive/wire.ts";
import { autopilotConfigOf, autopilotIndex, autopilotRow, autopilotTable } from "./config.ts";

const schema = indexed(autopilotConfigSchema);

export const autopilotArchive: AreaArchive = {
  kinds: [
    {
      type: recordTypes.autopilot,
      *save(copy) {
        for (const row of copy.rows(autopilotTable)) {
          const { create_index: CreateIndex, modify_index: ModifyIndex } = row;
          const record = { ...autopilotConfigOf(row), CreateIndex, ModifyIndex };
          yield (packer) => pack(packer, schema, record);
        }
      },
      load(loading, body) {
        const config = unpack(autopilotConfigSchema, body) as AutopilotConfig;
        const row = autopilotRow(config, raftIndexes(loading, body));
        loading.table(autopilotTable).put(row);
        loading.setIndex(autopilotIndex, row.modify_index);
      },
    },
  ],
};
