// The tables of the local state and their sync flags: which rows the catalog does not have yet, and
// which it still has to forget. No rule of Consul's is in here; those are in `local-state.ts`.
//
// A sync remembers the revisions of the rows it sent and confirms only those that still stand, so
// that a change made while a request was in flight is not lost.

import type { HealthCheck, NodeServiceDefinition } from "../model/types.ts";
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
  /** Ids of checks by their service; "" for those of the node. */
  readonly #checkIds = new Map<string, Set<string>>();
  /** Ids of rows that the catalog does not have yet. */
  readonly #unsynced = { service: new Set<string>(), check: new Set<string>() };
  /** Place of each check in the order in which they came. */
  readonly #places = new Map<string, number>();
  #nextPlace = 0;
  /** Keyed by `<type>/<id>`. */
  readonly #removals = new Map<string, Removal>();
  readonly #listeners = new Set<(change: LocalChange) => void>();
  #revision = 0;
  #complete = (service: NodeServiceDefinition): NodeServiceDefinition => service;

  /** Every service is stored as `complete` says from now on. */
  completeServices(complete: (service: NodeServiceDefinition) => NodeServiceDefinition): void {
    this.#complete = complete;
  }

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

  /** Checks of these services ("": the node), in the order of {@link LocalRows.checks}. */
  checksOf(...serviceIds: string[]): CheckEntry[] {
    const ids = serviceIds.flatMap((serviceId) => [...(this.#checkIds.get(serviceId) ?? [])]);
    return this.inOrder(ids).flatMap((id) => this.#checks.get(id) ?? []);
  }

  /** Ids of checks in the order in which the checks came. */
  inOrder(checkIds: Iterable<string>): string[] {
    return [...checkIds].toSorted((left, right) => this.placeOf(left) - this.placeOf(right));
  }

  /** Where a check stands in that order. */
  placeOf(checkId: string): number {
    return this.#places.get(checkId) ?? -1;
  }

  /** Services that the catalog does not have as they are here. */
  unsyncedServices(): ServiceEntry[] {
    return [...this.#unsynced.service].flatMap((id) => this.#services.get(id) ?? []);
  }

  /** The same for checks. */
  unsyncedChecks(): CheckEntry[] {
    return this.inOrder(this.#unsynced.check).flatMap((id) => this.#checks.get(id) ?? []);
  }

  checkRows(): HealthCheck[] {
    return Array.from(this.#checks.values(), ({ check }) => check);
  }

  /** Stores a service; it stays in sync when nothing that the catalog holds has changed. */
  putService(given: Unsynced<ServiceEntry>): void {
    const row = { ...given, service: this.#complete(given.service) };
    const id = row.service.ID;
    const known = this.#services.get(id);
    const inSync =
      known?.inSync === true &&
      known.token === row.token &&
      serviceText(known.service) === serviceText(row.service);
    this.#services.set(id, { ...row, inSync, revision: this.#nextRevision() });
    this.#noteSync("service", id, inSync);
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
    if (known?.check.ServiceID !== row.check.ServiceID) this.#own(id, known, row.check.ServiceID);
    this.#noteSync("check", id, inSync);
    this.#removals.delete(`check/${id}`);
    this.announce({ type: "check", id });
  }

  /** The row must reach the catalog. */
  markChanged(entry: ServiceEntry | CheckEntry): void {
    entry.inSync = false;
    entry.revision = this.#nextRevision();
    this.#noteSync(...nameOf(entry), false);
  }

  /** The catalog has the row as it is here. */
  markSynced(entry: ServiceEntry | CheckEntry): void {
    entry.inSync = true;
    this.#noteSync(...nameOf(entry), true);
  }

  #noteSync(type: RowType, id: string, inSync: boolean): void {
    if (inSync) this.#unsynced[type].delete(id);
    else this.#unsynced[type].add(id);
  }

  /** A check has another service, or none yet, or (null) is going. */
  #own(id: string, known: CheckEntry | undefined, serviceId: string | null): void {
    if (known) {
      const ids = this.#checkIds.get(known.check.ServiceID);
      ids?.delete(id);
      if (ids?.size === 0) this.#checkIds.delete(known.check.ServiceID);
    }
    if (serviceId === null) {
      this.#places.delete(id);
      return;
    }
    const ids = this.#checkIds.get(serviceId) ?? new Set<string>();
    this.#checkIds.set(serviceId, ids.add(id));
    if (!this.#places.has(id)) this.#places.set(id, this.#nextPlace++);
  }

  drop(type: RowType, id: string): void {
    const table = type === "service" ? this.#services : this.#checks;
    const token = table.get(id)?.token ?? "";
    const check = type === "check" ? this.#checks.get(id) : undefined;
    const serviceId = check?.check.ServiceID ?? "";
    if (check) this.#own(id, check, null);
    table.delete(id);
    this.#unsynced[type].delete(id);
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
      if (entry?.revision === revision) this.markSynced(entry);
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

function nameOf(entry: ServiceEntry | CheckEntry): [RowType, string] {
  return "service" in entry ? ["service", entry.service.ID] : ["check", entry.check.CheckID];
}
