// What the types over the list of areas are made with.

/** The intersection of a union's members: what all the maps of a list have together. */
export type Intersection<Union> = (Union extends unknown ? (each: Union) => void : never) extends (
  all: infer All,
) => void
  ? All
  : never;
