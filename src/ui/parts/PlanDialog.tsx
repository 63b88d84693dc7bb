// A plan, shown before it is carried out: what, what follows, how; and then how far it got.

import { useState } from "preact/hooks";

import { writeLine } from "../model/curl.ts";
import { itemsShown } from "../model/plan.ts";
import type { Plan, Write } from "../model/plan.ts";
import { live } from "../state/live.ts";
import { apiRoot } from "../state/place.ts";
import { plan as shown } from "../state/plans.ts";
import { say } from "../state/toast.ts";
import { token } from "../state/token.ts";
import { write } from "../state/writes.ts";
import { formatNumber, words } from "../text/index.ts";
import { Command } from "./Copy.tsx";
import { Dialog } from "./Dialog.tsx";
import { Name } from "./Name.tsx";

const requestsShown = 5;

export function PlanDialog({ plan }: { plan: Plan }) {
  const { plan: said } = words();
  const [typed, setTyped] = useState("");
  const [progress, setProgress] = useState<{ done: number; failure: string } | null>(null);
  const close = (): void => {
    shown.value = null;
  };
  const isRunning = progress !== null && progress.failure === "";
  const begin = async (): Promise<void> => {
    const undo = plan.undo ? await plan.undo() : null;
    for (const [done, one] of plan.writes.entries()) {
      setProgress({ done, failure: "" });
      const failure = await failureOf(one);
      if (failure !== null) return setProgress({ done, failure });
    }
    close();
    live.retry();
    say(plan.done, undo ? { label: said.undo, act: () => void takeBack(undo) } : undefined);
    return undefined;
  };
  return (
    <Dialog title={plan.title} closeLabel={said.cancel} onClose={close}>
      <form
        class="plan"
        onSubmit={(event) => {
          event.preventDefault();
          if (!isRunning && (plan.confirm === null || typed === plan.confirm)) void begin();
        }}
      >
        <Items items={plan.items} />
        <Consequences plan={plan} />
        {plan.confirm !== null && (
          <label class="field">
            <span>
              <Name text={said.confirm(plan.confirm)} />
            </span>
            <input
              type="text"
              value={typed}
              autocomplete="off"
              spellcheck={false}
              onInput={({ currentTarget }) => setTyped(currentTarget.value)}
            />
          </label>
        )}
        <p class={`said ${progress?.failure ? "is-critical" : ""}`} role="status">
          {progress &&
            (progress.failure === ""
              ? said.running(progress.done, plan.writes.length)
              : said.failed(progress.failure))}
        </p>
        <div class="actions">
          <button type="button" onClick={close}>
            {said.cancel}
          </button>
          <button
            type="submit"
            class="main-action is-danger"
            disabled={isRunning || (plan.confirm !== null && typed !== plan.confirm)}
          >
            {plan.action}
          </button>
        </div>
      </form>
    </Dialog>
  );
}

function Consequences({ plan }: { plan: Plan }) {
  const { plan: said } = words();
  return (
    <>
      <h3>{said.follows}</h3>
      <ul class="plain">
        {plan.follows.map((line) => (
          <li key={line}>
            <Name text={line} />
          </li>
        ))}
      </ul>
      <details>
        <summary>{said.how}</summary>
        {plan.writes.slice(0, requestsShown).map((one) => (
          <Command key={one.path} text={writeLine(apiRoot, one, token.value !== "")} />
        ))}
      </details>
    </>
  );
}

function Items({ items }: { items: readonly string[] }) {
  return (
    <>
      <ul class="items">
        {items.slice(0, itemsShown).map((item) => (
          <li key={item}>
            <Name text={item} />
          </li>
        ))}
      </ul>
      {items.length > itemsShown && (
        <p class="muted">{words().plan.all(formatNumber(items.length))}</p>
      )}
    </>
  );
}

/** Null when it was done. `false` is how the API says that a condition did not hold. */
async function failureOf(one: Write): Promise<string | null> {
  const { isDone, status, text } = await write(one);
  if (isDone && text.trim() !== "false") return null;
  return status === 0 ? words().plan.noAnswer : text.trim();
}

async function takeBack(undo: readonly Write[]): Promise<void> {
  const { plan: said } = words();
  const failures = await Promise.all(undo.map(failureOf));
  say(failures.every((failure) => failure === null) ? said.undone : said.notUndone);
}
