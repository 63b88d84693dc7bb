import type { Instance } from "../../model/instance.ts";
import { Name } from "../../parts/Name.tsx";
import { Table } from "../../parts/Table.tsx";
import { noQuery } from "../../routes.ts";
import type { ServiceRoute } from "../../routes.ts";
import { go, href } from "../../state/place.ts";
import { formatNumber, words } from "../../text/index.ts";

/** Which tags there are; each leads to the instances that have it. */
export function TagList({
  route,
  instances,
}: {
  route: ServiceRoute;
  instances: readonly Instance[];
}) {
  const { service } = words();
  const counts = new Map<string, number>();
  for (const { tags } of instances) {
    for (const tag of new Set(tags)) counts.set(tag, (counts.get(tag) ?? 0) + 1);
  }
  const [column, direction] = route.query.sort.split(":");
  const sign = direction === "desc" ? -1 : 1;
  const rows = [...counts].toSorted(([a, countA], [b, countB]) => {
    return sign * ((column === "instances" ? countA - countB : 0) || a.localeCompare(b, "en"));
  });
  if (rows.length === 0) return <p class="notice muted">{service.noTags}</p>;
  const to = (tag: string): string => {
    return href({ ...route, tab: "instances", query: { ...noQuery, filter: `tag:${tag}` } });
  };
  return (
    <Table
      label={service.tags}
      columns={[
        {
          id: "name",
          label: service.tag,
          kind: "name",
          cell: ([tag]) => (
            <a href={to(tag)}>
              <Name text={tag} />
            </a>
          ),
        },
        {
          id: "instances",
          label: service.instances,
          kind: "number",
          cell: ([, count]) => formatNumber(count),
        },
      ]}
      rows={rows}
      keyOf={([tag]) => tag}
      sort={route.query.sort}
      onSort={(sort) => go({ ...route, query: { ...route.query, sort } }, { replace: true })}
      reason={route.service}
    />
  );
}
