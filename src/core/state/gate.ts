// Where permissions are asked: before a command enters the log, before something is read, before a result is shown.

import { ServiceError } from "../model/errors.ts";
import { admitCommand } from "./admission.ts";
import { type AuthorizerSource, type Principal, unrestricted } from "./authorizer.ts";
import type { Access, Resource } from "./authorizer.ts";
import type { AreaRegistry } from "./registry.ts";
import type { State } from "./state.ts";

/** Who asks, and when. */
export interface Asker {
  token?: string;
  /** The server itself asks, which may do everything. */
  isOwn?: boolean;
  /** The state's own time when absent. */
  nowMs?: number;
}

export class Gate {
  readonly #registry: AreaRegistry;
  readonly #state: State;
  readonly #authorizers: AuthorizerSource;

  constructor(registry: AreaRegistry, state: State, authorizers: AuthorizerSource) {
    this.#registry = registry;
    this.#state = state;
    this.#authorizers = authorizers;
  }

  /** The whole state was replaced. */
  forget(): void {
    this.#authorizers.forget?.();
  }

  /** Throws ServiceError for a token that does not exist. */
  principal({ token, isOwn = false, nowMs = this.#state.meta.clockMs }: Asker): Principal {
    return isOwn ? unrestricted : this.#authorizers.resolve(this.#state, token, nowMs);
  }

  /** The command to propose. Throws ServiceError. */
  admit(command: { type: string }, asker: Asker): { type: string } {
    return admitCommand(this.#registry, this.#state, command, this.principal(asker));
  }

  /** Throws ServiceError unless the asker may do this. */
  permit([resource, segment, access]: readonly [Resource, string, Access], asker: Asker): void {
    if (this.principal(asker).authorizer.allows(resource, segment, access)) return;
    throw new ServiceError("permission-denied", "Permission denied");
  }

  /** What of a command's result the asker may see. Throws ServiceError for a token that is gone by now. */
  reveal(type: string, result: unknown, asker: Asker): unknown {
    const definition = this.#registry.commands.get(type);
    if (!definition?.reveal) return result;
    const { authorizer } = this.principal(asker);
    return authorizer.unrestricted ? result : definition.reveal(result as never, authorizer);
  }
}
