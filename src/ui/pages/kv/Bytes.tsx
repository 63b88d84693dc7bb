import { useMemo } from "preact/hooks";

import { hexLines, valueOf } from "../../model/kv.ts";
import type { KeyRow } from "../../model/kv.ts";
import { formatNumber, words } from "../../text/index.ts";

const linesShown = 256;

/** A value that a field for text would change: as bytes, to look at and to take away. */
export function Bytes({ row }: { row: KeyRow }) {
  const { kv } = words();
  const data = useMemo(
    () => Uint8Array.from(atob(row.Value ?? ""), (character) => character.charCodeAt(0)),
    [row.Value],
  );
  const download = (): void => {
    const url = URL.createObjectURL(new Blob([data], { type: "application/octet-stream" }));
    const link = document.createElement("a");
    link.href = url;
    link.download = row.Key.split("/").at(-1) || "value";
    link.click();
    URL.revokeObjectURL(url);
  };
  const isText = valueOf(row.Value).kind === "text";
  return (
    <>
      <p>{isText ? kv.mixedEnds : kv.binary}</p>
      <p class="facts-line muted">
        {kv.bytes(formatNumber(data.length))} · {kv.index(String(row.ModifyIndex))}
      </p>
      <pre class="lines is-hex" tabIndex={0}>
        {hexLines(data, linesShown).join("\n")}
      </pre>
      {data.length > linesShown * 16 && (
        <p class="muted">{kv.cut(formatNumber(linesShown * 16))}</p>
      )}
      <button type="button" onClick={download}>
        {kv.download}
      </button>
    </>
  );
}
