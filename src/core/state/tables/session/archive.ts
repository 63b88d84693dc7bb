// Sessions in archives. The delays on locks that some have left behind are not, as in Consul.

import { encode } from "../../../model/schema.ts";
import { sessionDefinitionSchema } from "../../../model/schemas.ts";
import type { SessionDefinition } from "../../../model/types.ts";
import { raftIndexes, recordTypes } from "../../archive/format.ts";
import type { AreaArchive } from "../../archive/kinds.ts";
import { indexed, pack, unpack } from "../../archive/wire.ts";
import { nameKey } from "../../rows.ts";
import { sessionOf, sessionsIndex, sessionTable } from "./session.ts";

const schema = indexed(sessionDefinitionSchema);

export const sessionArchive: AreaArchive = {
  indexes: [sessionsIndex],
  kinds: [
    {
      type: recordTypes.session,
      *save(copy) {
        for (const row of copy.rows(sessionTable)) {
          const { create_index: CreateIndex, modify_index: ModifyIndex } = row;
          const record = { ...sessionOf(row), CreateIndex, ModifyIndex };
          yield (packer) => pack(packer, schema, record);
        }
      },
      load(loading, body) {
        const session = unpack(sessionDefinitionSchema, body) as SessionDefinition;
        loading.table(sessionTable).put({
          id: session.ID,
          node_key: nameKey(session.Node),
          ...raftIndexes(loading, body),
          body: encode(sessionDefinitionSchema, session),
        });
      },
    },
  ],
};
