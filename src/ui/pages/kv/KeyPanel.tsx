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
  const close = (): void => go({ page: "folder", dc, prefix: folderOf(name), query: noQuery });
  const at = keyPath(name);
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
      {at === null ? (
        <p class="notice">{kv.dots}</p>
      ) : (
        <Contents {...{ dc, name, at }} onClose={close} />
      )}
    </section>
  );
}

interface ContentsProps {
  dc: string;
  name: string;
  /** Where the key is asked for. */
  at: string;
  onClose(): void;
}

function Contents({ dc, name, at, onClose }: ContentsProps) {
  const { path, live } = useKey(dc, at);
  const row = live.body?.[0];
  const server = serverSays(live);
  return (
    <Standing
      path={path}
      standing={live.standing}
      needs={`key:read "${name}"`}
      missing={server && <Editor {...{ dc, name, server, onClose }} />}
    >
      {row && <Lock row={row} />}
      {server ? (
        <Editor {...{ dc, name, server, onClose }}>
          {row && (
            <button
              type="button"
              class="link"
              onClick={() => (plan.value = deleteKey(dc, at, row))}
            >
              {words().kv.delete}
            </button>
          )}
        </Editor>
      ) : (
        row && <Bytes row={row} />
      )}
    </Standing>
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
