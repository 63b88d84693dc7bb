// Coordinates in archives: each record is a list of them.

import { PackError } from "../../../lib/msgpack.ts";
import type { Coordinate } from "../../../model/coordinate.ts";
import { text } from "../../../model/schema.ts";
import { recordTypes } from "../../archive/format.ts";
import type { AreaArchive } from "../../archive/kinds.ts";
import { pack, unpack, type WireStruct } from "../../archive/wire.ts";
import { nameKey } from "../../rows.ts";
import {
  coordinatesIndex,
  coordinateSchema,
  coordinateTable,
  encodeCoordinate,
} from "./coordinates.ts";

const schema: WireStruct = {
  kind: "struct",
  fields: { Node: text, Segment: text, Coord: { type: coordinateSchema } },
};

interface Entry {
  Node: string;
  Segment: string;
  Coord: Coordinate | null;
}

export const distanceArchive: AreaArchive = {
  indexes: [coordinatesIndex],
  kinds: [
    {
      type: recordTypes.coordinates,
      *save(copy) {
        for (const row of copy.rows(coordinateTable)) {
          const Coord = JSON.parse(row.body) as Entry["Coord"];
          const entry: Entry = { Node: row.node, Segment: row.segment, Coord };
          yield (packer) => {
            packer.list(1);
            pack(packer, schema, entry);
          };
        }
      },
      load(loading, body) {
        if (!Array.isArray(body)) throw new PackError("coordinates are no list");
        for (const each of body) {
          const { Node: node, Segment: segment, Coord } = unpack(schema, each) as Entry;
          loading.table(coordinateTable).put({
            ...{ node_key: nameKey(node), segment, node },
            body: encodeCoordinate(Coord),
          });
        }
      },
    },
  ],
};
