// All services of a datacenter: which of them serve, and finding one.

import { useMemo, useState } from "preact/hooks";

import { accepts, parseFilter } from "../../model/filter.ts";
import { verdict, wrongStates } from "../../model/verdict.ts";
import type { Verdict } from "../../model/verdict.ts";
import { FilterBar, NoMatch } from "../../parts/FilterBar.tsx";
import { Standing } from "../../parts/Standing.tsx";
import { Table } from "../../parts/Table.tsx";
import type { ListQuery } from "../../routes.ts";
import { servicesPath, useServices } from "../../state/cluster.ts";
import type { Summary } from "../../state/cluster.ts";
import { go } from "../../state/place.ts";
import { useTitle } from "../../state/title.ts";
import { formatNumber, words } from "../../text/index.ts";
import { columns, compareRows, fields, fieldsOf, isFolded } from "./columns.tsx";
import { NoServices } from "./NoServices.tsx";

export function ServicesPage({ dc, query }: { dc: string; query: ListQuery }) {
  const { services } = words();
  const { standing, body } = useServices(dc);
  const facts = useMemo(() => verdict(body ?? []), [body]);
  useTitle(titleOf(facts), services.title, dc);
  return (
    <section class="page">
      {standing.phase !== "ready" && (
        <header class="page-head">
          <h1>{services.title}</h1>
        </header>
      )}
      <Standing path={servicesPath(dc)} standing={standing} needs="service:read, node:read">
        <List
          dc={dc}
          query={query}
          rows={body ?? []}
          facts={facts}
          isFiltered={standing.isFiltered}
        />
      </Standing>
    </section>
  );
}

interface ListProps {
  dc: string;
  query: ListQuery;
  rows: readonly Summary[];
  facts: Verdict;
  isFiltered: boolean;
}

function List({ dc, query, rows, facts, isFiltered }: ListProps) {
  const { services, list } = words();
  const [showsAll, setShowsAll] = useState(false);
  const { filter: text, sort } = query;
  const filter = useMemo(() => parseFilter(text, fields), [text]);
  const folded = useMemo(() => rows.filter(isFolded).length, [rows]);
  // Whoever looks for something finds it folded or not.
  const isWhole = showsAll || text !== "" || folded === rows.length;
  const shown = useMemo(
    () =>
      rows
        .filter((row) => (isWhole || !isFolded(row)) && accepts(filter, fieldsOf(row)))
        .toSorted(compareRows(sort)),
    [rows, filter, sort, isWhole],
  );
  const open = (change: Partial<ListQuery>): void => {
    go({ page: "services", dc, query: { ...query, ...change } }, { replace: true });
  };
  const all = isWhole ? rows.length : rows.length - folded;
  return (
    <>
      <header class="page-head">
        <h1>{services.title}</h1>
        <FilterBar
          {...{ text, filter, all, shown: shown.length }}
          onChange={(filter) => open({ filter })}
        />
        {folded > 0 && text === "" && folded < rows.length && (
          <button
            type="button"
            class="link"
            aria-pressed={showsAll}
            onClick={() => setShowsAll(!showsAll)}
          >
            {showsAll ? list.fold : list.unfold(formatNumber(folded))}
          </button>
        )}
        {isFiltered && <p class="muted">{list.hidden}</p>}
      </header>
      {rows.every(isFolded) && text === "" && <NoServices />}
      {shown.length === 0 && text !== "" ? (
        <NoMatch {...{ text, filter, all }} onChange={(filter) => open({ filter })} />
      ) : (
        <Table
          label={services.title}
          columns={columns(dc, facts.countsInstances)}
          rows={shown}
          keyOf={nameOf}
          sort={sort}
          onSort={(sort) => open({ sort })}
          reason={`${dc} ${text} ${sort} ${isWhole}`}
        />
      )}
    </>
  );
}

function nameOf({ Name }: Summary): string {
  return Name;
}

/** "" while nothing is wrong. */
function titleOf({ byState }: Verdict): string {
  const { verdict: said } = words();
  const by = { ...said, warning: said.warn };
  const worst = wrongStates.find((state) => byState[state] > 0);
  return worst ? by[worst](formatNumber(byState[worst])) : "";
}
