import { diffLines } from "../model/lines.ts";
import { Name } from "./Name.tsx";

const around = 2;

/** What differs, with some lines around it. Signs say it, too, and not colours alone. */
export function Diff({ before, after }: { before: string; after: string }) {
  const runs = diffLines(before, after);
  return (
    <pre class="diff" tabIndex={0}>
      {runs.map(({ kind, lines }, at) => {
        const sign = kind === "added" ? "+" : kind === "removed" ? "−" : " ";
        const shown = kind === "same" ? context(lines, at > 0, at < runs.length - 1) : lines;
        return (
          <span key={at} class={`is-${kind}`}>
            {shown.map((line, index) => (
              <span key={index}>
                {line === null ? "  ⋯" : `${sign} `}
                {line !== null && <Name text={line} />}
                {"\n"}
              </span>
            ))}
          </span>
        );
      })}
    </pre>
  );
}

/** Null stands for what is left out. */
function context(
  lines: readonly string[],
  hasBefore: boolean,
  hasAfter: boolean,
): (string | null)[] {
  const first = hasBefore ? lines.slice(0, around) : [];
  const rest = lines.slice(first.length);
  const last = hasAfter ? rest.slice(-around) : [];
  const hidden = lines.length - first.length - last.length;
  return hidden > 0 ? [...first, null, ...last] : [...lines];
}
