// Texts that come from elsewhere: always as text, and what cannot be seen in them is shown.

import { linesOf, pieces } from "../model/names.ts";
import type { Piece } from "../model/names.ts";

export function Name({ text }: { text: string }) {
  return <>{pieces(text).map(shown)}</>;
}

/** Longer ones are cut, and say so; the API bounds outputs to 4 kB by default. */
const linesMax = 200;
const lineCharactersMax = 2_000;

/** An output of several lines. */
export function Lines({ text }: { text: string }) {
  const lines = linesOf(text).slice(0, linesMax);
  const isCut = text.split("\n").length > linesMax;
  return (
    <pre class="lines">
      {lines.map((line, at) => (
        <span key={at}>
          {line.map((piece, index) => shown({ ...piece, text: cut(piece.text) }, index))}
          {"\n"}
        </span>
      ))}
      {isCut && "…"}
    </pre>
  );
}

function cut(text: string): string {
  return text.length > lineCharactersMax ? `${text.slice(0, lineCharactersMax)}…` : text;
}

function shown({ text, isOdd }: Piece, at: number) {
  return isOdd ? (
    <span key={at} class="odd">
      {text}
    </span>
  ) : (
    text
  );
}
