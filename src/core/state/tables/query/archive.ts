// Prepared queries in archives.

import { isTemplate, preparedQuerySchema } from "../../../model/prepared-query.ts";
import type { PreparedQuery } from "../../../model/prepared-query.ts";
import { encode } from "../../../model/schema.ts";
import { raftIndexes, recordTypes } from "../../archive/format.ts";
import type { AreaArchive } from "../../archive/kinds.ts";
import { indexed, pack, unpack } from "../../archive/wire.ts";
import { nameKey } from "../../rows.ts";
import { queriesIndex, queryOf, queryTable } from "./queries.ts";

const schema = indexed(preparedQuerySchema);

export const queryArchive: AreaArchive = {
  indexes: [queriesIndex],
  kinds: [
    {
      type: recordTypes.query,
      *save(copy) {
        for (const row of copy.rows(queryTable)) {
          const { create_index: CreateIndex, modify_index: ModifyIndex } = row;
          const record = { ...queryOf(row), CreateIndex, ModifyIndex };
          yield (packer) => pack(packer, schema, record);
        }
      },
      load(loading, body) {
        const query = unpack(preparedQuerySchema, body) as PreparedQuery;
        const template = isTemplate(query);
        loading.table(queryTable).put({
          id: query.ID.toLowerCase(),
          name_key: query.Name === "" && !template ? null : nameKey(query.Name),
          is_template: template ? 1 : 0,
          session_id: query.Session === "" ? null : query.Session.toLowerCase(),
          ...raftIndexes(loading, body),
          body: encode(preparedQuerySchema, query),
        });
      },
    },
  ],
};
