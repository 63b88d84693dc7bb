// Which alias checks have to be looked at again: those that stand for a service of which something changed, and all of
// them when a check of the node did. The rest say what they said.

import type { CheckEntry } from "./entries.ts";
import { isLocalAlias } from "./health.ts";

export class Aliases {
  /** Ids of local alias checks, by the service that they stand for ("": the node alone). */
  readonly #byService = new Map<string, Set<string>>();
  readonly #serviceOf = new Map<string, string>();
  /** Service of each check, as last seen. */
  readonly #ownerOf = new Map<string, string>();
  readonly #due = new Set<string>();

  get size(): number {
    return this.#serviceOf.size;
  }

  /** Ids of those that have to be looked at. Each is due until it is {@link Aliases.looked} at. */
  get due(): ReadonlySet<string> {
    return this.#due;
  }

  looked(id: string): void {
    this.#due.delete(id);
  }

  /** `entry`: what it is now, undefined when it is gone. */
  checkChanged(id: string, entry: CheckEntry | undefined, nodeName: string): void {
    const before = this.#ownerOf.get(id);
    if (entry) this.#ownerOf.set(id, entry.check.ServiceID);
    else this.#ownerOf.delete(id);
    this.#register(id, entry, nodeName);
    if (before !== undefined) this.serviceChanged(before);
    if (entry && entry.check.ServiceID !== before) this.serviceChanged(entry.check.ServiceID);
  }

  /** A service came, went, or one of its checks changed; "" for checks of the node, which count for all. */
  serviceChanged(serviceId: string): void {
    const concerned = serviceId === "" ? this.#serviceOf.keys() : this.#byService.get(serviceId);
    for (const id of concerned ?? []) this.#due.add(id);
  }

  #register(id: string, entry: CheckEntry | undefined, nodeName: string): void {
    const known = this.#serviceOf.get(id);
    const definition = entry?.definition;
    const isAlias = definition && isLocalAlias(definition, nodeName);
    const target = isAlias ? definition.aliasService : undefined;
    if (known === target) return;
    if (known !== undefined) {
      this.#byService.get(known)?.delete(id);
      if (this.#byService.get(known)?.size === 0) this.#byService.delete(known);
      this.#serviceOf.delete(id);
      this.#due.delete(id);
    }
    if (target === undefined) return;
    const same = this.#byService.get(target) ?? new Set<string>();
    this.#byService.set(target, same.add(id));
    this.#serviceOf.set(id, target);
    this.#due.add(id);
  }
}
