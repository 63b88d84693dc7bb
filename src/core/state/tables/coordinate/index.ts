// Network coordinates of nodes: telling and asking where they stand. The rows are in `distance/`.

import { dimensions } from "../../../model/coordinate.ts";
import { ServiceError } from "../../../model/errors.ts";
import { command, defineArea } from "../../area.ts";
import { reaction } from "../../state.ts";
import { nodeRemoved } from "../catalog/events.ts";
import { coordinateReads } from "./reads.ts";
import { coordinateUpdateSchema, putCoordinate, removeCoordinates } from "./updates.ts";
import type { CoordinateUpdate } from "./updates.ts";

export const coordinate = defineArea({
  name: "coordinate",
  tables: [],
  commands: {
    "coordinate.update": command<{ update: CoordinateUpdate }, true>({
      shape: { update: { type: coordinateUpdateSchema } },
      admit: (given, { permit }) => {
        const { Node: node, Coord: coord } = given.update;
        if (!coord) throw new ServiceError("invalid", "invalid coordinate");
        if (coord.Vec?.length !== dimensions) {
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
