// What a list of services shows of each, sorts by, and is filtered by.

import type { Fields } from "../../model/filter.ts";
import { countsOf, serves, stateOrder, summaryState } from "../../model/status.ts";
import type { InstanceState } from "../../../core/model/instance-state.ts";
import { Bar } from "../../parts/Bar.tsx";
import { Name } from "../../parts/Name.tsx";
import { Status } from "../../parts/Status.tsx";
import type { Column } from "../../parts/Table.tsx";
import { noQuery } from "../../routes.ts";
import type { Summary } from "../../state/cluster.ts";
import { href } from "../../state/place.ts";
import { formatNumber, words } from "../../text/index.ts";

export const fields = ["name", "status", "tag", "node", "kind", "source"] as const;

/** Rows stay the same objects while they are the same: what is typed into a filter need not look at them again. */
const known = new WeakMap<Summary, Fields>();

export function fieldsOf(row: Summary): Fields {
  const fields = known.get(row) ?? {
    name: [row.Name],
    status: [summaryState(row)],
    tag: row.Tags ?? [],
    node: row.Nodes ?? [],
    kind: [row.Kind ?? ""],
    source: row.ExternalSources ?? [],
  };
  known.set(row, fields);
  return fields;
}

/** The servers themselves, and sidecars: nobody looks for them. */
export function isFolded(row: Summary): boolean {
  return row.Name === "consul" || row.Kind === "connect-proxy";
}

/** Worst first, and then by name. */
export function compareRows(sort: string): (a: Summary, b: Summary) => number {
  const [column = "", direction] = sort.split(":");
  const sign = direction === "desc" ? -1 : 1;
  const by = Object.hasOwn(orders, column) ? orders[column] : undefined;
  const byName = (a: Summary, b: Summary): number =>
    a.Name < b.Name ? -1 : a.Name > b.Name ? 1 : 0;
  const byState = orders["status"] ?? byName;
  if (!by) return (a, b) => byState(a, b) || byName(a, b);
  return (a, b) => sign * (by(a, b) || byName(a, b));
}

const orders: Readonly<Record<string, (a: Summary, b: Summary) => number>> = {
  status: (a, b) => stateOrder[summaryState(a)] - stateOrder[summaryState(b)],
  name: () => 0,
  serving: (a, b) => a.InstanceCount - b.InstanceCount,
  nodes: (a, b) => nodeCount(a) - nodeCount(b),
};

function nodeCount({ Nodes }: Summary): number {
  return new Set(Nodes).size;
}

export function columns(dc: string, countsInstances: boolean): Column<Summary>[] {
  const { services } = words();
  return [
    { id: "status", label: services.status, cell: (row) => <Status state={summaryState(row)} /> },
    {
      id: "name",
      label: services.name,
      kind: "name",
      cell: ({ Name: service }) => (
        <a
          href={href({
            page: "service",
            dc,
            service,
            tab: "instances",
            instance: null,
            query: noQuery,
          })}
        >
          <Name text={service} />
        </a>
      ),
    },
    {
      id: "serving",
      label: countsInstances ? services.serving : services.checks,
      cell: (row) => <Serving row={row} />,
    },
    {
      id: "tags",
      label: services.tags,
      isSortable: false,
      cell: ({ Tags, Kind = "", ExternalSources }) => (
        <span class="tags">
          {Kind !== "" && <b>{Kind}</b>}
          {(ExternalSources ?? []).map((source) => (
            <b key={source}>
              <Name text={source} />
            </b>
          ))}
          {(Tags ?? []).map((tag) => (
            <span key={tag}>
              <Name text={tag} />
            </span>
          ))}
        </span>
      ),
    },
    {
      id: "nodes",
      label: services.nodes,
      kind: "number",
      cell: (row) => formatNumber(nodeCount(row)),
    },
  ];
}

const states: readonly InstanceState[] = ["passing", "warning", "maintenance", "critical"];

function Serving({ row }: { row: Summary }) {
  const { services } = words();
  const counts = countsOf(row);
  if (counts) {
    const well = counts.passing + counts.warning;
    const parts = states.map((state) => ({ state, count: counts[state] }));
    const all = row.InstanceCount;
    return <Bar label={services.servingHint(well, all)} {...{ well, all, parts }} />;
  }
  const { ChecksPassing: passing, ChecksWarning: warning, ChecksCritical: critical } = row;
  const checks = { passing, warning, critical, maintenance: 0 };
  const all = passing + warning + critical;
  const well = states.reduce((sum, state) => sum + (serves(state) ? checks[state] : 0), 0);
  const parts = states.map((state) => ({ state, count: checks[state] }));
  return <Bar label={services.checksHint(well, all)} {...{ well, all, parts }} />;
}
