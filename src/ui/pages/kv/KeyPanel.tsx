// One key, open: its value, and what goes with it.

import { Copy } from "../../parts/Copy.tsx";
import { Icon } from "../../parts/Icon.tsx";
import { Name } from "../../parts/Name.tsx";
import { Standing } from "../../parts/Standing.tsx";
import { folderOf, keyPath } from "../../model/kv.ts";
import type { KeyRow } from "../../model/kv.ts";
import { noQuery } from "../../routes.ts";
import { serverSays } from "../../state/editing.ts";
import { go } from "../../state/place.ts";
import { plan } from "../../state/plans.ts";
import { words } from "../../text/index.ts";
import { Bytes } from "./Bytes.tsx";
import { useKey } from "./data.ts";
import { Editor } from "./Editor.tsx";
import { deleteKey } from "./plans.ts";

export function KeyPanel({ dc, name }: { dc: string; name: string }) {
  const { kv, why } = words();
  const { path, live } = useKey(dc, name);
  const close = (): void => go({ page: "folder", dc, prefix: folderOf(name), query: noQuery });
  const row = live.body?.[0];
  const server = serverSays(live);
  return (
    <section class="editor" aria-labelledby="key-name">
      <header>
        <h2 id="key-name">
          <Name text={name} />
        </h2>
        <Copy text={name} />
        <button type="button" class="quiet" aria-label={why.close} onClick={close}>
          <Icon name="close" />
        </button>
      </header>
      {keyPath(name) === null ? (
        <p class="notice">{kv.dots}</p>
      ) : (
        <Standing
          path={path}
          standing={live.standing}
          needs={`key:read "${name}"`}
          missing={server && <Editor {...{ dc, name, server }} onClose={close} />}
        >
          {row && <Lock row={row} />}
          {server ? (
            <Editor {...{ dc, name, server }} onClose={close}>
              {row && (
                <button
                  type="button"
                  class="link"
                  onClick={() => (plan.value = deleteKey(dc, row))}
                >
                  {kv.delete}
                </button>
              )}
            </Editor>
          ) : (
            row && <Bytes row={row} />
          )}
        </Standing>
      )}
    </section>
  );
}

function Lock({ row: { Session: session = "" } }: { row: KeyRow }) {
  if (session === "") return null;
  return (
    <p class="lock is-warning">
      <Icon name="lock" /> {words().kv.locked} <code>{session}</code>
      <Copy text={session} />
    </p>
  );
}
