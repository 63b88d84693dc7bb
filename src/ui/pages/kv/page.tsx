// Keys: a folder beside what is open in it.

import type { Route } from "../../routes.ts";
import { useTitle } from "../../state/title.ts";
import { words } from "../../text/index.ts";
import { folderOf } from "../../model/kv.ts";
import { Folder } from "./Folder.tsx";
import { KeyPanel } from "./KeyPanel.tsx";
import { NewKey } from "./NewKey.tsx";

type KeyRoute = Extract<Route, { page: "folder" | "key" | "new-key" }>;

export function KeysPage({ route }: { route: KeyRoute }) {
  const { dc } = route;
  const isFolder = route.page === "folder";
  const prefix = route.page === "key" ? folderOf(route.key) : route.prefix;
  const query = isFolder ? route.query : { filter: "", sort: "" };
  useTitle("", route.page === "key" ? route.key : prefix || words().kv.title, dc);
  return (
    <section class={`page ${isFolder ? "" : "has-editor"}`}>
      <div class="page-body">
        <Folder
          key={`${dc} ${prefix}`}
          {...{ dc, prefix, query }}
          open={route.page === "key" ? route.key : null}
        />
      </div>
      {route.page === "key" && <KeyPanel key={`${dc} ${route.key}`} dc={dc} name={route.key} />}
      {route.page === "new-key" && <NewKey key={`${dc} ${prefix}`} dc={dc} prefix={prefix} />}
    </section>
  );
}
