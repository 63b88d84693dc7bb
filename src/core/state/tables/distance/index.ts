// How far nodes are from each other. Only rows, for the areas above to fill and to sort by.

import { defineArea } from "../../area.ts";
import { distanceArchive } from "./archive.ts";
import { coordinateTable } from "./coordinates.ts";

export const distance = defineArea({
  name: "distance",
  archive: distanceArchive,
  tables: [coordinateTable],
  commands: {},
  reads: {},
});
