// Intentions in archives.

import { intentionSchema } from "../../../model/intention.ts";
import type { Intention } from "../../../model/intention.ts";
import { encode } from "../../../model/schema.ts";
import { raftIndexes, recordTypes } from "../../archive/format.ts";
import type { AreaArchive } from "../../archive/kinds.ts";
import { indexed, pack, unpack, type WireStruct } from "../../archive/wire.ts";
import { intentionOf, intentionsIndex, intentionTable, namesOf } from "./intentions.ts";

const schema: WireStruct = {
  kind: "struct",
  fields: {
    ...intentionSchema.fields,
    CreatedAt: { type: { kind: "time" } },
    UpdatedAt: { type: { kind: "time" } },
    Hash: { type: { kind: "bytes" } },
  },
};

export const intentionArchive: AreaArchive = {
  indexes: [intentionsIndex],
  kinds: [
    {
      type: recordTypes.intention,
      *save(copy) {
        for (const row of copy.rows(intentionTable)) {
          const { create_index: CreateIndex, modify_index: ModifyIndex } = row;
          const record = { ...intentionOf(row), CreateIndex, ModifyIndex };
          yield (packer) => pack(packer, indexed(schema), record);
        }
      },
      load(loading, body) {
        const intention = unpack(schema, body) as Intention;
        loading.table(intentionTable).put({
          id: intention.ID,
          ...namesOf(intention),
          precedence: intention.Precedence,
          ...raftIndexes(loading, body),
          body: encode(intentionSchema, { ...intention, Meta: intention.Meta ?? {} }),
        });
      },
    },
  ],
};
