// How far nodes are from each other. Only rows, for the areas above to fill and to sort by.

import { defineArea } from "../../area.ts";
import { coordinateTable } from "./coordinates.ts";

export const distance = defineArea({
  name: "distance",
  tables: [coordinateTable],
  commands: {},
  reads: {},
});
