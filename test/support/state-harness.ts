// A state machine over an empty database, with short ways to apply commands and to read.

import { decodeBody } from "../../src/core/model/decode.ts";
import { deregistrationSchema, registrationSchema } from "../../src/core/model/schemas.ts";
import { decodeSession, defaultSession } from "../../src/core/model/session.ts";
import type { Deregistration, Registration } from "../../src/core/model/types.ts";
import { encodeCommand } from "../../src/core/state/commands.ts";
import type { Command } from "../../src/core/state/commands.ts";
import { StateMachine } from "../../src/core/state/machine.ts";
import type { Applied, LogEntry } from "../../src/core/state/machine.ts";
import type { ReadArguments, ReadName } from "../../src/core/state/reads.ts";
import { WatchRegistry } from "../../src/core/state/watch.ts";
import { NodeSql } from "../../durable/platform/node/sql.ts";

/** `body` as for `PUT /v1/catalog/register`. */
export function registrationOf(body: object): Registration {
  return decodeBody(registrationSchema, JSON.stringify(body), "refuse") as Registration;
}

export class StateHarness {
  readonly sql = new NodeSql();
  readonly machine = new StateMachine(this.sql, { datacenter: "dc1" });
  nowMs = 1_700_000_000_000;
  #sessions = 0;

  /** Admits and applies one command as the next entry. */
  apply(command: Command): Applied {
    const [applied] = this.applyAll([this.machine.admit(command, {})]);
    if (!applied) throw new Error("nothing was applied");
    return applied;
  }

  /** Applies commands as one batch, without admitting them. */
  applyAll(commands: readonly Command[]): Applied[] {
    return this.applyEntries(commands.map((command) => encodeCommand(command, this.nowMs)));
  }

  applyEntries(bodies: readonly (Uint8Array | null)[]): Applied[] {
    const first = this.machine.appliedIndex + 1;
    const entries: LogEntry[] = bodies.map((command, at) => ({ index: first + at, command }));
    return this.sql.transaction(() => this.machine.applyBatch(entries));
  }

  /** Value of a command that succeeds; throws its refusal. */
  run(command: Command): unknown {
    const { outcome } = this.apply(command);
    if (!outcome.ok) throw new Error(outcome.error.message);
    return outcome.value;
  }

  set(key: string, value = "dg==", flags = "0"): Applied {
    return this.apply({ type: "kv.set", key, value, flags });
  }

  /** `body` as for `PUT /v1/catalog/register`. */
  register(body: object): Applied {
    return this.apply({ type: "catalog.register", registration: registrationOf(body) });
  }

  deregister(body: object): Applied {
    const decoded = decodeBody(deregistrationSchema, JSON.stringify(body), "refuse");
    return this.apply({ type: "catalog.deregister", deregistration: decoded as Deregistration });
  }

  /** `body` as for `PUT /v1/session/create`; answers the id. */
  createSession(node: string, body: object = {}): string {
    this.#sessions++;
    const id = `00000000-0000-0000-0000-${String(this.#sessions).padStart(12, "0")}`;
    const session = decodeSession(JSON.stringify(body), defaultSession(id, node));
    this.run({ type: "session.create", session });
    return id;
  }

  read<Op extends ReadName>(
    op: Op,
    args: ReadArguments[Op],
  ): { index: number; value: unknown; topics: string[] } {
    const { index, body, topics } = this.machine.read(op, args as never, { nowMs: this.nowMs });
    return { index, value: body === null ? null : JSON.parse(body), topics };
  }

  index<Op extends ReadName>(op: Op, args: ReadArguments[Op]): number {
    return this.read(op, args).index;
  }

  /** Whether a read, evaluated before `change`, would be woken by it. */
  wakes<Op extends ReadName>(op: Op, args: ReadArguments[Op], change: () => Applied): boolean {
    return this.wakers([[op, args]], change)[0] ?? false;
  }

  /** The same for several reads and one change. */
  wakers(reads: readonly (readonly [ReadName, object])[], change: () => Applied): boolean[] {
    const registries = reads.map(([op, args]) => {
      const registry = new WatchRegistry<string>();
      registry.register(this.read(op, args).topics, "waiter");
      return registry;
    });
    const { touched } = change();
    return registries.map((registry) => registry.fire(touched).size > 0);
  }
}
