// Every question that can be asked of the replicated state, as one closed union over the areas. Arguments are
// JSON, because they cross links.

import type { KeptRead, PlainRead } from "./read.ts";
import type { areas } from "./tables/index.ts";
import type { Intersection } from "./types.ts";

type Definitions = Intersection<(typeof areas)[number]["reads"]>;

export type ReadArguments = {
  [Op in keyof Definitions]: Definitions[Op] extends KeptRead<infer Args>
    ? Args
    : Definitions[Op] extends PlainRead<infer Args>
      ? Args
      : never;
};

export type ReadOperation = {
  [Op in keyof ReadArguments]: { op: Op; args: ReadArguments[Op] };
}[keyof ReadArguments];

export type ReadName = keyof ReadArguments;
