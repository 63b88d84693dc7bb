import { Diff } from "../../parts/Diff.tsx";
import type { Editing, There } from "../../state/editing.ts";
import { words } from "../../text/index.ts";

/** Somebody else wrote since this was begun: nothing is overwritten before one of three is chosen. */
export function Conflict({ editing, theirs }: { editing: Editing; theirs: There }) {
  const { kv } = words();
  return (
    <div class="review" role="alert">
      <h3>{kv.conflict}</h3>
      <p>
        {theirs.index === 0 ? kv.deleted : kv.changed(String(theirs.index))} {kv.conflictAbout}
      </p>
      <Diff before={theirs.text} after={editing.text} />
      <div class="actions">
        <button type="button" onClick={editing.goOn}>
          {kv.back}
        </button>
        <button type="button" onClick={editing.takeTheirs}>
          {kv.takeTheirs}
        </button>
        <button type="button" onClick={() => void editing.keepMine()}>
          {kv.keepMine}
        </button>
        <button type="button" class="main-action" onClick={editing.merge}>
          {kv.merge}
        </button>
      </div>
    </div>
  );
}
