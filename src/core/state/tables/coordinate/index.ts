// Network coordinates of nodes.

import { ServiceError } from "../../../model/errors.ts";
import { command, defineArea } from "../../area.ts";
import { reaction } from "../../state.ts";
import { nodeRemoved } from "../catalog/events.ts";
import {
  coordinateTable,
  coordinateUpdateSchema,
  origin,
  putCoordinate,
  removeCoordinates,
} from "./coordinates.ts";
import type { CoordinateUpdate } from "./coordinates.ts";
import { coordinateReads } from "./reads.ts";

export const coordinate = defineArea({
  name: "coordinate",
  tables: [coordinateTable],
  commands: {
    "coordinate.update": command<{ update: CoordinateUpdate }, true>({
      shape: { update: { type: coordinateUpdateSchema } },
      admit: (given, { permit }) => {
        const { Node: node, Coord: coord } = given.update;
        if (!coord) throw new ServiceError("invalid", "invalid coordinate");
        if (coord.Vec?.length !== origin.Vec?.length) {
          throw new ServiceError("invalid", "incompatible coordinate");
        }
        permit("node", node, "write");
        return given;
      },
      apply: (change, { update }) => (putCoordinate(change, update), true),
    }),
  },
  reads: coordinateReads,
  reactions: [reaction(nodeRemoved, removeCoordinates)],
});
