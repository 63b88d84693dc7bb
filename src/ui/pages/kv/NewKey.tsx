import { useEffect, useMemo, useRef, useState } from "preact/hooks";

import { keyPath } from "../../model/kv.ts";
import { within } from "../../model/plan.ts";
import { Icon } from "../../parts/Icon.tsx";
import { Name } from "../../parts/Name.tsx";
import { noQuery } from "../../routes.ts";
import { useKeys } from "../../state/keys.ts";
import { live } from "../../state/live.ts";
import { go } from "../../state/place.ts";
import { say } from "../../state/toast.ts";
import { write } from "../../state/writes.ts";
import { words } from "../../text/index.ts";

/** Creates a key, and never overwrites one. A name that ends with a slash makes a folder. */
export function NewKey({ dc, prefix }: { dc: string; prefix: string }) {
  const { kv, why } = words();
  const [name, setName] = useState("");
  const [value, setValue] = useState("");
  const [said, setSaid] = useState("");
  const close = (): void => go({ page: "folder", dc, prefix, query: noQuery });
  const first = useRef<HTMLInputElement>(null);
  useEffect(() => first.current?.focus(), []);
  const keys = useMemo(
    () => ({ Escape: () => go({ page: "folder", dc, prefix, query: noQuery }) }),
    [dc, prefix],
  );
  useKeys(keys);
  const create = async (): Promise<void> => {
    setSaid(name === "" ? kv.needsName : await createKey(dc, prefix + name, value));
  };
  return (
    <section class="editor" aria-labelledby="new-key">
      <header>
        <h2 id="new-key">{kv.newKey}</h2>
        <button type="button" class="quiet" aria-label={why.close} onClick={close}>
          <Icon name="close" />
        </button>
      </header>
      <form
        class="review"
        onSubmit={(event) => {
          event.preventDefault();
          void create();
        }}
      >
        <label class="field">
          <span>
            {kv.newName} <Name text={prefix} />
          </span>
          <input
            type="text"
            value={name}
            placeholder={kv.newNameHint}
            autocomplete="off"
            spellcheck={false}
            ref={first}
            onInput={({ currentTarget }) => setName(currentTarget.value)}
          />
        </label>
        <label class="field grows">
          <span>{kv.value}</span>
          <textarea
            value={value}
            spellcheck={false}
            onInput={({ currentTarget }) => setValue(currentTarget.value)}
          />
        </label>
        <p class="said is-critical" role="status">
          {said}
        </p>
        <div class="actions">
          <button type="submit" class="main-action">
            {kv.create}
          </button>
        </div>
      </form>
    </section>
  );
}

/** What is wrong; "" when it was created, and is open. */
async function createKey(dc: string, key: string, body: string): Promise<string> {
  const { kv } = words();
  const path = keyPath(key);
  if (path === null) return kv.dots;
  const { isDone, status, text } = await write({
    method: "PUT",
    path: within(path, { dc, cas: "0" }),
    body,
  });
  if (!isDone) return status === 0 ? kv.unknown : kv.failed(text.trim());
  if (text.trim() === "false") return kv.exists;
  say(kv.created(key));
  live.retry();
  const folder = { page: "folder", dc, prefix: key, query: noQuery } as const;
  go(key.endsWith("/") ? folder : { page: "key", dc, key });
  return "";
}
