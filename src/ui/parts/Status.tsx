// A state: always a glyph, a word and a colour, so that none of them has to be seen.

import type { ServiceState } from "../model/status.ts";
import { words } from "../text/index.ts";

/** Filled outlines of 12 × 12; each state has another shape. */
const glyphs: Readonly<Record<ServiceState, string>> = {
  passing: "M6 1.5a4.5 4.5 0 1 1 0 9 4.5 4.5 0 0 1 0-9z",
  warning: "M6 1.2 11.3 10.5H.7z",
  critical: "M1.5 1.5h9v9h-9z",
  down: "M1.5 1.5h9v9h-9z",
  degraded: "M1.5 1.5h9v9h-9zM6 2.7v6.6h3.3V2.7z",
  maintenance: "M2.2 1.5h2.6v9H2.2zM7.2 1.5h2.6v9H7.2z",
  empty:
    "M6 1.5a4.5 4.5 0 1 1 0 9 4.5 4.5 0 0 1 0-9zm0 1.6a2.9 2.9 0 1 0 0 5.8 2.9 2.9 0 0 0 0-5.8z",
};

export function Glyph({ state }: { state: ServiceState }) {
  return (
    <svg class={`glyph is-${state}`} viewBox="0 0 12 12" aria-hidden="true">
      <path fill-rule="evenodd" d={glyphs[state]} />
    </svg>
  );
}

export function Status({ state }: { state: ServiceState }) {
  return (
    <span class={`status is-${state}`}>
      <Glyph state={state} />
      {words().state[state]}
    </span>
  );
}
