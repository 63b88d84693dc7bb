// One check: how it is, what it says, how it is made, and how it changed.

import type { Decider } from "../../model/instance.ts";
import { checkState } from "../../../core/model/instance-state.ts";
import { Lines, Name } from "../../parts/Name.tsx";
import { Status } from "../../parts/Status.tsx";
import { changesOf } from "../../state/seen.ts";
import { formatTime, words } from "../../text/index.ts";
import { definitionOf } from "./definition.ts";

export function CheckCard({
  decider: { check, of },
  isOpen,
}: {
  decider: Decider;
  isOpen: boolean;
}) {
  const { why: said } = words();
  const changes = changesOf(check);
  const now = Date.now();
  const [latest] = changes;
  const definition = definitionOf(check);
  return (
    <li>
      <details open={isOpen}>
        <summary>
          <Status state={checkState(check)} />
          <span class="check-name">
            <Name text={check.Name} />
          </span>
          <span class="muted">
            {latest ? said.since(formatTime(latest.atMs, now)) : said.of[of]}
          </span>
        </summary>
        {check.Output === "" ? (
          <p class="muted">{said.noOutput}</p>
        ) : (
          <Lines text={check.Output.trimEnd()} />
        )}
        {check.Notes !== "" && (
          <p>
            <Name text={check.Notes} />
          </p>
        )}
        {definition.length > 0 && (
          <dl class="facts">
            {definition.map(([name, value]) => (
              <div key={name}>
                <dt>{said[name]}</dt>
                <dd>
                  <Name text={value} />
                </dd>
              </div>
            ))}
          </dl>
        )}
        <h4>{said.history}</h4>
        {changes.length === 0 ? (
          <p class="muted">{said.noHistory}</p>
        ) : (
          <ol class="changes">
            {changes.map(({ atMs, from, to }) => (
              <li key={atMs}>
                <time dateTime={new Date(atMs).toISOString()}>{formatTime(atMs, now)}</time>
                <Status state={checkState({ CheckID: check.CheckID, Status: from })} />
                <span aria-hidden="true">→</span>
                <Status state={checkState({ CheckID: check.CheckID, Status: to })} />
              </li>
            ))}
          </ol>
        )}
      </details>
    </li>
  );
}
