import { useMemo, useRef } from "preact/hooks";

import { without } from "../model/filter.ts";
import type { Filter } from "../model/filter.ts";
import { useKeys } from "../state/keys.ts";
import { formatNumber, words } from "../text/index.ts";
import { Icon } from "./Icon.tsx";
import { Name } from "./Name.tsx";

export interface FilterBarProps {
  /** As it was written. */
  text: string;
  filter: Filter;
  shown: number;
  all: number;
  onChange(text: string): void;
  /** What may be written; absent: what lists of services and instances understand. */
  hint?: string;
}

export function FilterBar({ text, filter, shown, all, onChange, hint }: FilterBarProps) {
  const { list } = words();
  const input = useRef<HTMLInputElement>(null);
  useKeys(
    useMemo(
      () => ({
        "/": () => {
          input.current?.focus();
          input.current?.select();
        },
      }),
      [],
    ),
  );
  return (
    <search class="filter">
      <label>
        <Icon name="search" />
        <span class="offscreen">{list.filter}</span>
        <input
          ref={input}
          type="search"
          value={text}
          placeholder={hint ?? list.filterHint}
          aria-keyshortcuts="/"
          aria-invalid={filter.broken.length > 0}
          autocomplete="off"
          spellcheck={false}
          onInput={({ currentTarget }) => onChange(currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key !== "Escape" || event.isComposing) return;
            event.preventDefault();
            if (text === "") event.currentTarget.blur();
            else onChange("");
          }}
        />
      </label>
      <span class="count" role="status">
        {list.count(formatNumber(shown), formatNumber(all))}
      </span>
      {filter.broken.map((term) => (
        <span key={term} class="broken">
          <Name text={list.broken(term)} />
        </span>
      ))}
    </search>
  );
}

type NoMatchProps = Pick<FilterBarProps, "text" | "filter" | "all" | "onChange">;

/** In place of a list of which the filter leaves nothing. */
export function NoMatch({ text, filter, all, onChange }: NoMatchProps) {
  const { list } = words();
  return (
    <div class="notice">
      <h2>{list.noMatch(formatNumber(all))}</h2>
      <p class="terms">
        {filter.terms.map((term) => (
          <button key={term.text} type="button" onClick={() => onChange(without(text, term))}>
            <Name text={list.dropTerm(term.text)} />
          </button>
        ))}
      </p>
      <button type="button" class="main-action" onClick={() => onChange("")}>
        {list.clear}
      </button>
    </div>
  );
}
