import { useMemo } from "preact/hooks";

import { accepts, parseFilter } from "../../model/filter.ts";
import { keyPath } from "../../model/kv.ts";
import { FilterBar, NoMatch } from "../../parts/FilterBar.tsx";
import { Icon } from "../../parts/Icon.tsx";
import { Name } from "../../parts/Name.tsx";
import { Standing } from "../../parts/Standing.tsx";
import { Empty } from "../../parts/States.tsx";
import { Table } from "../../parts/Table.tsx";
import { noQuery } from "../../routes.ts";
import type { ListQuery } from "../../routes.ts";
import { draftKey, drafts } from "../../state/drafts.ts";
import { useKeys } from "../../state/keys.ts";
import { apiRoot, go, href } from "../../state/place.ts";
import { plan } from "../../state/plans.ts";
import { words } from "../../text/index.ts";
import { Breadcrumb } from "./Breadcrumb.tsx";
import { useFolder } from "./data.ts";
import { deleteFolder } from "./plans.ts";

export interface FolderProps {
  dc: string;
  prefix: string;
  query: ListQuery;
  /** The key that is open beside it. */
  open: string | null;
}

export function Folder(props: FolderProps) {
  const { dc, prefix } = props;
  const at = keyPath(prefix);
  if (at !== null) return <Listing {...props} at={at} />;
  return (
    <>
      <header class="page-head">
        <Breadcrumb dc={dc} path={prefix} />
      </header>
      <p class="notice">{words().kv.dots}</p>
    </>
  );
}

/** `at`: where the folder is asked for. */
function Listing({ dc, prefix, query, open, at }: FolderProps & { at: string }) {
  const { kv } = words();
  const { path, live } = useFolder(dc, at);
  const to = href({ page: "new-key", dc, prefix });
  useKeys(useMemo(() => ({ n: () => go({ page: "new-key", dc, prefix }) }), [dc, prefix]));
  const erase = async (): Promise<void> => {
    plan.value = await deleteFolder(dc, at, prefix);
  };
  return (
    <>
      <header class="page-head">
        <Breadcrumb dc={dc} path={prefix} />
        <a class="button" href={to} aria-keyshortcuts="n">
          <Icon name="plus" />
          {kv.newKey}
        </a>
        {prefix !== "" && live.standing.phase === "ready" && (
          <button type="button" class="link" onClick={() => void erase()}>
            {kv.deleteFolder}
          </button>
        )}
      </header>
      <Standing
        path={path}
        standing={live.standing}
        needs={`key:list "${prefix}"`}
        missing={<NoKeys dc={dc} at={at} />}
      >
        <Keys {...{ dc, prefix, query, open, at }} names={live.body ?? []} />
      </Standing>
    </>
  );
}

function NoKeys({ dc, at }: { dc: string; at: string }) {
  const { kv } = words();
  const url = new URL(`${at}example?dc=${dc}`, apiRoot).href;
  return <Empty title={kv.empty} about={kv.emptyWhy} command={`curl -X PUT -d hello '${url}'`} />;
}

const fields = ["name"];

interface KeysProps extends FolderProps {
  at: string;
  names: readonly string[];
}

function Keys({ dc, prefix, query, open, at, names }: KeysProps) {
  const { kv } = words();
  const { filter: text, sort } = query;
  const filter = useMemo(() => parseFilter(text, fields), [text]);
  const shown = useMemo(() => {
    const own = names
      .map((name) => name.slice(prefix.length))
      .filter((name) => name !== "" && accepts(filter, { name: [name] }));
    return sort === "name:desc" ? own.toReversed() : own;
  }, [names, prefix, filter, sort]);
  const change = (change: Partial<ListQuery>): void => {
    go({ page: "folder", dc, prefix, query: { ...query, ...change } }, { replace: true });
  };
  if (names.length === 0) return <NoKeys dc={dc} at={at} />;
  const bar = { text, filter, all: names.length };
  return (
    <>
      <FilterBar
        {...bar}
        hint={kv.filterHint}
        shown={shown.length}
        onChange={(filter) => change({ filter })}
      />
      {shown.length === 0 && text !== "" ? (
        <NoMatch {...bar} onChange={(filter) => change({ filter })} />
      ) : (
        <Table
          label={kv.title}
          columns={[
            {
              id: "name",
              label: kv.name,
              kind: "name",
              cell: (name) => <Entry {...{ dc, prefix, name }} />,
            },
          ]}
          rows={shown}
          keyOf={(name) => name}
          sort={sort}
          onSort={(sort) => change({ sort })}
          reason={`${dc} ${prefix} ${text} ${sort}`}
          {...(open !== null && { selected: open.slice(prefix.length) })}
        />
      )}
    </>
  );
}

function Entry({ dc, prefix, name }: { dc: string; prefix: string; name: string }) {
  const isFolder = name.endsWith("/");
  const key = prefix + name;
  const to = isFolder
    ? href({ page: "folder", dc, prefix: key, query: noQuery })
    : href({ page: "key", dc, key });
  return (
    <>
      <a href={to} class={isFolder ? "folder" : "file"}>
        <Icon name={isFolder ? "folder" : "file"} />
        <Name text={name} />
      </a>
      {drafts.value[draftKey(dc, key)] && <span class="draft is-warning">{words().kv.draft}</span>}
    </>
  );
}
