// The tables of the local state and their sync flags: which rows the catalog does not have yet, and
// which it still has to forget. No rule of Consul's is in here; those are in `local-state.ts`.
//
// A sync remembers the revisions of the rows it sent and confirms only those that still stand, so
// that a change made while a request was in flight is not lost.

import type { HealthCheck } from "../model/types.ts";
import { checkText, serviceText } from "./canonical.ts";
import type { CheckEntry, LocalChange, Removal, RowType, ServiceEntry } from "./entries.ts";

/** A row as it was when it was sent. */
export interface RowRevision {
  type: RowType;
  id: string;
  revision: number;
}

type Unsynced<Entry> = Omit<Entry, "inSync" | "revision">;

export class LocalRows {
  /** The catalog shows the node as this agent wants it. */
  nodeInSync = false;
  readonly #services = new Map<string, ServiceEntry>();
  readonly #checks = new Map<string, CheckEntry>();
  /** Keyed by `<type>/<id>`. */
  readonly #removals = new Map<string, Removal>();
  readonly #listeners = new Set<(change: LocalChange) => void>();
  #revision = 0;

  get services(): ReadonlyMap<string, ServiceEntry> {
    return this.#services;
  }

  get checks(): ReadonlyMap<string, CheckEntry> {
    return this.#checks;
  }

  /** What the catalog still has to forget. */
  get removals(): ReadonlyMap<string, Removal> {
    return this.#removals;
  }

  /** Calls `listener` after each change of a row; returns what ends it. */
  subscribe(listener: (change: LocalChange) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  checksOf(serviceId: string): CheckEntry[] {
    return [...this.#checks.values()].filter(({ check }) => check.ServiceID === serviceId);
  }

  checkRows(): HealthCheck[] {
    return Array.from(this.#checks.values(), ({ check }) => check);
  }

  /** Stores a service; it stays in sync when nothing that the catalog holds has changed. */
  putService(row: Unsynced<ServiceEntry>): void {
    const id = row.service.ID;
    const known = this.#services.get(id);
    const inSync =
      known?.inSync === true &&
      known.token === row.token &&
      serviceText(known.service) === serviceText(row.service);
    this.#services.set(id, { ...row, inSync, revision: this.#nextRevision() });
    this.#removals.delete(`service/${id}`);
    this.announce({ type: "service", id });
  }

  /** Stores a check; it stays in sync when nothing that the catalog holds has changed. */
  putCheck(row: Unsynced<CheckEntry>): void {
    const id = row.check.CheckID;
    const known = this.#checks.get(id);
    const inSync =
      known?.inSync === true &&
      known.token === row.token &&
      checkText(known.check, true) === checkText(row.check, true);
    this.#checks.set(id, { ...row, inSync, revision: this.#nextRevision() });
    this.#removals.delete(`check/${id}`);
    this.announce({ type: "check", id });
  }

  /** The row must reach the catalog. */
  markChanged(entry: ServiceEntry | CheckEntry): void {
    entry.inSync = false;
    entry.revision = this.#nextRevision();
  }

  drop(type: RowType, id: string): void {
    const table = type === "service" ? this.#services : this.#checks;
    const token = table.get(id)?.token ?? "";
    const serviceId = type === "check" ? (this.#checks.get(id)?.check.ServiceID ?? "") : "";
    table.delete(id);
    this.forget({ type, id, serviceId, token });
    this.announce({ type, id });
  }

  /** Notes that the catalog has to forget a row. */
  forget(removal: Omit<Removal, "revision">): void {
    const key = `${removal.type}/${removal.id}`;
    this.#removals.set(key, { ...removal, revision: this.#nextRevision() });
  }

  /** The catalog does not hold the row (any more). */
  forgotten(type: RowType, id: string): void {
    this.#removals.delete(`${type}/${id}`);
  }

  /** The catalog has what was sent, so far as it has not changed since. */
  confirm(sent: readonly RowRevision[]): void {
    for (const { type, id, revision } of sent) {
      const table = type === "service" ? this.#services : this.#checks;
      const entry = table.get(id);
      if (entry?.revision === revision) entry.inSync = true;
      const key = `${type}/${id}`;
      if (this.#removals.get(key)?.revision === revision) this.#removals.delete(key);
    }
  }

  announce(change: LocalChange): void {
    for (const listener of this.#listeners) listener(change);
  }

  #nextRevision(): number {
    return ++this.#revision;
  }
}
