// Writes that belong to the primary datacenter, wherever they are asked for: what all datacenters copy has one place
// where it is decided about (Consul semantics §11.1).

import type { JsonValue } from "../../src/core/model/json.ts";
import type { Command } from "../../src/core/state/commands.ts";
import type { StateMachine } from "../../src/core/state/machine.ts";
import { isGlobalToken, isLocalAccessor } from "../../src/core/state/tables/acl/rows.ts";
import type { ValueAnswer, WriteRequest } from "../../src/link/protocol.ts";
import type { ServerRequests } from "../server/requests.ts";
import type { OtherDatacenters } from "./other-datacenters.ts";

export interface PrimaryWritesParts {
  /** The primary datacenter; null in that one itself. */
  primary: string | null;
  /** Connect is enabled here: then intentions are the primary's. */
  hasConnect: boolean;
  machine: Pick<StateMachine, "ask">;
  requests: Pick<ServerRequests, "write">;
  datacenters: Pick<OtherDatacenters, "ask">;
}

const primaryTypes: ReadonlySet<string> = new Set<Command["type"]>([
  "acl.policy.set",
  "acl.policy.delete",
  "acl.role.set",
  "acl.role.delete",
  "acl.legacy.set",
  "acl.legacy.clone",
  "acl.legacy.destroy",
  "config.set",
  "config.cas",
  "config.delete",
]);

export class PrimaryWrites {
  readonly #parts: PrimaryWritesParts;

  constructor(parts: PrimaryWritesParts) {
    this.#parts = parts;
  }

  /** Resolves when it is applied, here or there. Rejects with ServiceError. */
  async write(request: WriteRequest): Promise<JsonValue> {
    const { primary, requests, datacenters } = this.#parts;
    if (primary === null || !this.#isPrimarys(request.write)) return await requests.write(request);
    const reply = await datacenters.ask({ ...request, dc: primary });
    return (reply as ValueAnswer).value;
  }

  #isPrimarys(command: Command): boolean {
    const { machine, hasConnect } = this.#parts;
    const { type } = command;
    if (type.startsWith("intention.")) return hasConnect;
    if (!machine.ask(({ acl }) => acl.enabled) && type.startsWith("acl.")) return false;
    if (type === "acl.token.create" || type === "acl.token.update") return !command.token.Local;
    if (type === "acl.token.clone") {
      return machine.ask((state) => isGlobalToken(state, command.accessor));
    }
    if (type === "acl.token.delete") {
      return !machine.ask((state) => isLocalAccessor(state, command.accessor));
    }
    return primaryTypes.has(type);
  }
}
