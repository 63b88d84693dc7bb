// What a list of instances shows of each.

import type { Fields } from "../../model/filter.ts";
import { addressOf } from "../../model/instance.ts";
import type { Instance } from "../../model/instance.ts";
import { Copy } from "../../parts/Copy.tsx";
import { Name } from "../../parts/Name.tsx";
import { Status } from "../../parts/Status.tsx";
import type { Column } from "../../parts/Table.tsx";
import { words } from "../../text/index.ts";

export const fields = ["id", "status", "node", "addr", "tag", "output", "meta"] as const;

export function fieldsOf(instance: Instance): Fields {
  const { id, state, node, tags, meta } = instance;
  const byKey = Object.entries(meta).map(([key, value]) => [`meta.${key.toLowerCase()}`, [value]]);
  return {
    id: [id],
    status: [state],
    node: [node],
    addr: [addressOf(instance)],
    tag: tags,
    output: [firstLine(instance)],
    meta: Object.values(meta),
    ...(Object.fromEntries(byKey) as Fields),
  };
}

/** Of its worst check. */
export function firstLine({ checks }: Instance): string {
  const [worst] = checks;
  return worst?.check.Output.split("\n")[0] ?? "";
}

const outputCharacters = 200;

export function columns(to: (instance: Instance) => string): Column<Instance>[] {
  const { service } = words();
  return [
    { id: "status", label: service.status, cell: ({ state }) => <Status state={state} /> },
    {
      id: "name",
      label: service.instance,
      kind: "name",
      cell: (instance) => (
        <a href={to(instance)}>
          <Name text={instance.id} />
        </a>
      ),
    },
    { id: "node", label: service.node, cell: ({ node }) => <Name text={node} /> },
    {
      id: "address",
      label: service.address,
      isSortable: false,
      cell: (instance) => (
        <span class="address">
          <code>
            <Name text={addressOf(instance)} />
          </code>
          <Copy text={addressOf(instance)} />
        </span>
      ),
    },
    {
      id: "output",
      label: service.output,
      isSortable: false,
      cell: (instance) => <Name text={firstLine(instance).slice(0, outputCharacters)} />,
    },
  ];
}

/** By a column's name; their own order where there is none. */
export function compareInstances(sort: string): ((a: Instance, b: Instance) => number) | null {
  const [column, direction] = sort.split(":");
  const sign = direction === "desc" ? -1 : 1;
  const text = (a: string, b: string): number => a.localeCompare(b, "en", { numeric: true });
  if (column === "name") return (a, b) => sign * text(a.id, b.id);
  if (column === "node") return (a, b) => sign * text(a.node, b.node);
  // They come worst first; the sort is stable, so only the reverse needs one.
  return column === "status" && sign < 0 ? (a, b) => text(b.state, a.state) : null;
}
