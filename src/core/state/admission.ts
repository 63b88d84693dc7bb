// What happens to every command before it enters the log: it is cut to its shape, and its area judges it.

import { ServiceError } from "../model/errors.ts";
import type { Admission, AnyCommand } from "./area.ts";
import type { Principal } from "./authorizer.ts";
import type { AreaRegistry } from "./registry.ts";
import { fitShape } from "./shape.ts";
import type { State } from "./state.ts";

/** The command to propose. Throws ServiceError. */
export function admitCommand(
  registry: AreaRegistry,
  state: State,
  given: { type: string },
  { authorizer, bearer }: Principal,
): { type: string } {
  const { type } = given;
  const definition = registry.commands.get(type);
  if (!definition) throw new ServiceError("malformed", `unknown command ${JSON.stringify(type)}`);
  const struct = { kind: "struct", goName: type, fields: definition.shape } as const;
  const admission: Admission = {
    state,
    authorizer,
    bearer,
    permit: (resource, segment, access) => {
      if (authorizer.allows(resource, segment, access)) return;
      throw new ServiceError("permission-denied", "Permission denied");
    },
  };
  const admit: AnyCommand["admit"] = definition.admit.bind(definition);
  return { type, ...admit(fitShape<never>(struct, given, type), admission) };
}
