import { useMemo } from "preact/hooks";

import { accepts, parseFilter } from "../../model/filter.ts";
import { addressOf } from "../../model/instance.ts";
import type { Instance } from "../../model/instance.ts";
import { FilterBar, NoMatch } from "../../parts/FilterBar.tsx";
import { Table } from "../../parts/Table.tsx";
import type { ListQuery, ServiceRoute } from "../../routes.ts";
import { copy } from "../../state/clipboard.ts";
import { go, href } from "../../state/place.ts";
import { words } from "../../text/index.ts";
import { columns, compareInstances, fields, fieldsOf } from "./columns.tsx";

export function Instances({
  route,
  instances,
}: {
  route: ServiceRoute;
  instances: readonly Instance[];
}) {
  const { filter: text, sort } = route.query;
  const filter = useMemo(() => parseFilter(text, fields), [text]);
  const shown = useMemo(() => {
    const matching = instances.filter((instance) => accepts(filter, fieldsOf(instance)));
    const compare = compareInstances(sort);
    return compare ? matching.toSorted(compare) : matching;
  }, [instances, filter, sort]);
  const change = (change: Partial<ListQuery>): void => {
    go({ ...route, query: { ...route.query, ...change } }, { replace: true });
  };
  const at = ({ node, id }: Instance): ServiceRoute => ({ ...route, instance: { node, id } });
  const open = (instance: Instance): void => go(at(instance));
  const selected = instances.find(({ node, id }) => {
    return route.instance?.node === node && route.instance.id === id;
  });
  const bar = { text, filter, all: instances.length };
  return (
    <>
      <FilterBar {...bar} shown={shown.length} onChange={(filter) => change({ filter })} />
      {shown.length === 0 ? (
        <NoMatch {...bar} onChange={(filter) => change({ filter })} />
      ) : (
        <Table
          label={words().service.instances}
          columns={columns((instance) => href(at(instance)))}
          rows={shown}
          keyOf={({ key }) => key}
          sort={sort}
          onSort={(sort) => change({ sort })}
          reason={`${route.dc} ${route.service} ${text} ${sort}`}
          {...(selected && { selected: selected.key })}
          rowKeys={{ w: open, y: (instance) => void copy(addressOf(instance)) }}
        />
      )}
    </>
  );
}
