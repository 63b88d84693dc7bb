// Anti-entropy: what has to be sent so that the catalog shows this node as its agent knows it. A
// full sync first compares everything with the catalog's view (`compareWithCatalog`); a partial one
// only sends what is not in sync.
//
// Steps are sent in order, one after the other up to the first failure, or all at once; for each
// success the host calls `confirmStep`. A step that was refused for lack of permission is confirmed
// too: it is tried again at the next full sync, as in Consul.

import type {
  Deregistration,
  HealthCheck,
  Node,
  NodeService,
  Registration,
} from "../model/types.ts";
import { checkText, serviceText } from "./canonical.ts";
import { hashJson } from "./content-hash.ts";
import type { CheckEntry, Removal, ServiceEntry } from "./entries.ts";
import type { LocalAgentState } from "./local-state.ts";
import type { AgentNode } from "./node.ts";
import type { LocalRows, RowRevision } from "./rows.ts";

/** What the catalog holds about the node: answers of `catalog.node-services` and `health.node`. */
export interface CatalogView {
  node: Node | null;
  services: readonly NodeService[];
  checks: readonly HealthCheck[];
}

interface StepBase {
  /** "" for the agent's own. */
  token: string;
  rows: readonly RowRevision[];
  /** The step also writes the node itself. */
  node: boolean;
}

/** One command for the catalog, named as in core/state/commands.ts. */
export type SyncStep =
  | ({ type: "catalog.register"; registration: Registration } & StepBase)
  | ({ type: "catalog.deregister"; deregistration: Deregistration } & StepBase);

/** Kept by the servers, not by agents. */
const managedServiceId = "consul";
const managedCheckId = "serfHealth";

/** A full sync: compares, then tells what to send. */
export function planFullSync(state: LocalAgentState, view: CatalogView): SyncStep[] {
  compareWithCatalog(state, view);
  return planPartialSync(state);
}

/** Marks what differs from the catalog, and what it holds that this agent does not know. */
export function compareWithCatalog(state: LocalAgentState, view: CatalogView): void {
  const { rows } = state;
  rows.nodeInSync = view.node !== null && nodeText(view.node) === agentNodeText(state.node);
  const services = new Map(view.services.map((service) => [service.ID, service]));
  const checks = new Map(view.checks.map((check) => [check.CheckID, check]));
  for (const entry of rows.services.values()) compareService(rows, entry, services);
  for (const entry of rows.checks.values()) compareCheck(rows, entry, checks);
  for (const removal of rows.removals.values()) {
    const held = removal.type === "service" ? services : checks;
    if (!held.has(removal.id)) rows.forgotten(removal.type, removal.id);
  }
  for (const id of services.keys()) {
    if (id === managedServiceId || rows.services.has(id)) continue;
    rows.forget({ type: "service", id, serviceId: "", token: "" });
  }
  for (const { CheckID: id, ServiceID: serviceId } of checks.values()) {
    if (id === managedCheckId || rows.checks.has(id)) continue;
    rows.forget({ type: "check", id, serviceId, token: "" });
  }
}

function compareService(
  rows: LocalRows,
  entry: ServiceEntry,
  remote: ReadonlyMap<string, NodeService>,
): void {
  const held = remote.get(entry.service.ID);
  if (held !== undefined && entry.service.EnableTagOverride) {
    // Others may set the tags of such a service in the catalog; the agent takes them over.
    entry.service = { ...entry.service, Tags: held.Tags ?? [] };
  }
  const same = held !== undefined && serviceText(held) === serviceText(entry.service);
  if (same) rows.markSynced(entry);
  else rows.markChanged(entry);
}

function compareCheck(
  rows: LocalRows,
  entry: CheckEntry,
  remote: ReadonlyMap<string, HealthCheck>,
): void {
  const held = remote.get(entry.check.CheckID);
  // An output that waits for its time must not be sent early.
  const output = entry.outputSyncAtMs === null;
  const same = held !== undefined && checkText(held, output) === checkText(entry.check, output);
  if (same) rows.markSynced(entry);
  else rows.markChanged(entry);
}

/** What is known to be missing in the catalog. Empty when everything is in sync. */
export function planPartialSync(state: LocalAgentState): SyncStep[] {
  const { rows, node } = state;
  const registrations = [...serviceSteps(rows, node), ...checkSteps(rows, node)];
  if (registrations.length === 0 && !rows.nodeInSync) {
    registrations.push(registerStep(node, "", { services: [], checks: [] }));
  }
  // The first step brings the node itself up to date, the others leave it alone.
  const steps = registrations.map((step, index) => {
    const writesNode = index === 0 && !rows.nodeInSync;
    const registration = { ...step.registration, SkipNodeUpdate: !writesNode };
    return { ...step, registration, node: writesNode };
  });
  return [...steps, ...removalSteps(rows, node)];
}

type RegisterStep = SyncStep & { type: "catalog.register" };

function serviceSteps(rows: LocalRows, node: AgentNode): RegisterStep[] {
  const steps: RegisterStep[] = [];
  for (const entry of rows.unsyncedServices()) {
    const checks = rows
      .checksOf(entry.service.ID)
      .filter((check) => !check.inSync && check.token === entry.token);
    steps.push(registerStep(node, entry.token, { services: [entry], checks }));
  }
  return steps;
}

/** Checks that go without their service: grouped, because one command can carry several. */
function checkSteps(rows: LocalRows, node: AgentNode): RegisterStep[] {
  const groups = new Map<string, CheckEntry[]>();
  for (const entry of rows.unsyncedChecks()) {
    const service = rows.services.get(entry.check.ServiceID);
    const withService = service?.inSync === false && service.token === entry.token;
    if (withService) continue;
    const key = JSON.stringify([entry.token, entry.check.ServiceID]);
    const group = groups.get(key);
    if (group) group.push(entry);
    else groups.set(key, [entry]);
  }
  return Array.from(groups.values(), (checks) =>
    registerStep(node, checks[0]?.token ?? "", { services: [], checks }),
  );
}

function registerStep(
  node: AgentNode,
  token: string,
  content: { services: readonly ServiceEntry[]; checks: readonly CheckEntry[] },
): RegisterStep {
  const checks = content.checks.map(({ check }) => check);
  const sent: RowRevision[] = [
    ...content.services.map(({ service, revision }) =>
      rowRevision("service", service.ID, revision),
    ),
    ...content.checks.map(({ check, revision }) => rowRevision("check", check.CheckID, revision)),
  ];
  const registration = {
    Datacenter: node.datacenter,
    ID: node.id,
    Node: node.name,
    Address: node.address,
    TaggedAddresses: node.taggedAddresses,
    NodeMeta: node.meta,
    Service: content.services[0]?.service ?? null,
    Check: null,
    Checks: checks.length > 0 ? checks : null,
    SkipNodeUpdate: false,
  };
  return { type: "catalog.register", registration, token, rows: sent, node: false };
}

function removalSteps(rows: LocalRows, node: AgentNode): SyncStep[] {
  const removals = [...rows.removals.values()];
  const services = removals.filter((removal) => removal.type === "service");
  const gone = new Set(services.map((removal) => removal.id));
  const deregistration = { Datacenter: node.datacenter, Node: node.name };
  const serviceRemovals = services.map((removal) => {
    // The catalog removes the checks of a service together with it.
    const checks = removals.filter((other) => isCheckOf(other, removal.id));
    const sent = [removal, ...checks].map(({ type, id, revision }) =>
      rowRevision(type, id, revision),
    );
    return step({ ...deregistration, ServiceID: removal.id, CheckID: "" }, removal.token, sent);
  });
  const checkRemovals = removals
    .filter((removal) => removal.type === "check" && !gone.has(removal.serviceId))
    .map(({ type, id, token, revision }) =>
      step({ ...deregistration, ServiceID: "", CheckID: id }, token, [
        rowRevision(type, id, revision),
      ]),
    );
  return [...serviceRemovals, ...checkRemovals];
}

function step(deregistration: Deregistration, token: string, rows: RowRevision[]): SyncStep {
  return { type: "catalog.deregister", deregistration, token, rows, node: false };
}

function isCheckOf(removal: Removal, serviceId: string): boolean {
  return removal.type === "check" && removal.serviceId === serviceId;
}

function rowRevision(type: RowRevision["type"], id: string, revision: number): RowRevision {
  return { type, id, revision };
}

/** The catalog has taken the step (or refuses it until the next full sync). */
export function confirmStep(state: LocalAgentState, step: SyncStep): void {
  state.rows.confirm(step.rows);
  if (step.node) state.rows.nodeInSync = true;
}

/**
 * A hash of what the catalog shall hold; equal to {@link viewHash} of its view when nothing has to
 * be sent.
 */
export function localHash({ rows, node }: LocalAgentState): string {
  return hashRows(
    agentNodeText(node),
    Array.from(rows.services.values(), (entry) => entry.service),
    rows.checkRows(),
  );
}

/** Outputs do not count: they may lag behind. */
export function viewHash({ node, services, checks }: CatalogView): string {
  return hashRows(
    node === null ? "" : nodeText(node),
    services.filter((service) => service.ID !== managedServiceId),
    checks.filter((check) => check.CheckID !== managedCheckId),
  );
}

function hashRows(
  node: string,
  services: readonly Parameters<typeof serviceText>[0][],
  checks: readonly HealthCheck[],
): string {
  return hashJson([
    node,
    services.map(serviceText).toSorted(),
    checks.map((check) => checkText(check, false)).toSorted(),
  ]);
}

function agentNodeText(node: AgentNode): string {
  return nodeFields(node.id, node.address, node.taggedAddresses, node.meta);
}

function nodeText({ ID, Address, TaggedAddresses, Meta }: Node): string {
  return nodeFields(ID, Address, TaggedAddresses ?? {}, Meta ?? {});
}

function nodeFields(
  id: string,
  address: string,
  taggedAddresses: Record<string, string>,
  meta: Record<string, string>,
): string {
  return hashJson([id, address, taggedAddresses, meta]);
}
