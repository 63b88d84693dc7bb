// Every list: a real table whose rows are in the page only where they are seen, with one link a row that has the focus,
// and an order that stays while somebody points at it.

import type { ComponentChildren } from "preact";
import { useMemo, useRef, useState } from "preact/hooks";

import { rowWindow } from "../model/rows.ts";
import { useKeys } from "../state/keys.ts";
import type { Keys } from "../state/keys.ts";
import { useHeld, useView } from "../state/lists.ts";
import { words } from "../text/index.ts";
import { Icon } from "./Icon.tsx";

export interface Column<Row> {
  id: string;
  label: string;
  /** Of its cells, beside `is-ID`. */
  kind?: "number" | "name";
  isSortable?: boolean;
  cell(row: Row): ComponentChildren;
}

export interface TableProps<Row> {
  label: string;
  columns: readonly Column<Row>[];
  rows: readonly Row[];
  keyOf(row: Row): string;
  /** `COLUMN:asc`, as addresses have it. */
  sort: string;
  onSort(sort: string): void;
  /** Another one, such as another filter, shows everything as it is. */
  reason: string;
  /** Of the row that is open beside the list. */
  selected?: string;
  /** What keys do to the row that has the focus. */
  rowKeys?: Readonly<Record<string, (row: Row) => void>>;
}

export function Table<Row>(props: TableProps<Row>) {
  const { label, columns, rows, keyOf, reason, selected, sort, onSort } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const [isHeld, setHeld] = useState(false);
  const held = useHeld(rows, keyOf, isHeld, reason);
  const [focused, setFocused] = useState("");
  const view = useView(scroller);
  const place = focused === "" ? -1 : held.rows.findIndex((row) => keyOf(row) === focused);
  const shown = rowWindow(held.rows.length, view, place);
  const focus = (to: number): void => focusRow(scroller.current, held.rows, to, keyOf, setFocused);
  useRowKeys({ ...props, rows: held.rows, place, focus, apply: held.apply });
  const hold = (event: Event): void => {
    const isInside = event.type === "pointerenter" || event.type === "focusin";
    setHeld(
      isInside || scroller.current?.querySelector("tbody :focus-visible, tbody:hover") != null,
    );
  };
  const gap = (at: number) => (
    <Gap key={`gap ${at}`} rows={shown.gaps[at] ?? 0} height={view.rowHeight} />
  );
  return (
    <div class="list">
      <div class="scroller" ref={scroller}>
        <table aria-label={label} aria-rowcount={held.rows.length + 1}>
          <Head columns={columns} sort={sort} onSort={onSort} />
          <tbody onPointerEnter={hold} onPointerLeave={hold} onFocusIn={hold} onFocusOut={hold}>
            {shown.places.flatMap((at, index) => {
              const row = held.rows[at];
              if (row === undefined) return [];
              const key = keyOf(row);
              const isTarget = place < 0 ? index === 0 : at === place;
              return [
                gap(index),
                <tr
                  key={key}
                  data-key={key}
                  aria-rowindex={at + 2}
                  aria-current={key === selected ? "true" : undefined}
                  class={isTarget ? "is-target" : undefined}
                  onFocusIn={() => setFocused(key)}
                >
                  {columns.map(({ id, kind = "", cell }) => (
                    <td key={id} class={`is-${id} ${kind}`}>
                      {cell(row)}
                    </td>
                  ))}
                </tr>,
              ];
            })}
            {gap(shown.places.length)}
          </tbody>
        </table>
      </div>
      {held.pending > 0 && <Pending count={held.pending} onApply={held.apply} />}
    </div>
  );
}

/** Rows that are not in the page, as their height. */
function Gap({ rows, height }: { rows: number; height: number }) {
  if (rows <= 0) return null;
  return <tr class="gap" aria-hidden="true" style={{ height: `${rows * height}px` }} />;
}

function Pending({ count, onApply }: { count: number; onApply(): void }) {
  const { list } = words();
  return (
    <p class="pending" role="status">
      {list.pending(count)}{" "}
      <button type="button" class="link" aria-keyshortcuts="r" onClick={onApply}>
        {list.apply} <kbd>r</kbd>
      </button>
    </p>
  );
}

type HeadProps<Row> = Pick<TableProps<Row>, "columns" | "sort" | "onSort">;

function Head<Row>({ columns, sort, onSort }: HeadProps<Row>) {
  const [by, direction] = sort.split(":");
  return (
    <thead>
      <tr aria-rowindex={1}>
        {columns.map(({ id, label, kind = "", isSortable = true }) => {
          const isBy = by === id;
          const next = isBy && direction === "asc" ? "desc" : "asc";
          const order = direction === "desc" ? "descending" : "ascending";
          return (
            <th
              key={id}
              scope="col"
              class={`is-${id} ${kind}`}
              aria-sort={isBy ? order : undefined}
            >
              {isSortable ? (
                <button type="button" class="sort" onClick={() => onSort(`${id}:${next}`)}>
                  {label}
                  {isBy && <Icon name={direction === "desc" ? "down" : "up"} />}
                </button>
              ) : (
                label
              )}
            </th>
          );
        })}
      </tr>
    </thead>
  );
}

interface RowKeyProps<Row> extends TableProps<Row> {
  place: number;
  focus(to: number): void;
  apply(): void;
}

function useRowKeys<Row>({ rows, rowKeys, place, focus, apply }: RowKeyProps<Row>): void {
  const latest = useRef({ rows, rowKeys, place, focus, apply });
  latest.current = { rows, rowKeys, place, focus, apply };
  const names = Object.keys(rowKeys ?? {}).join("\n");
  const keys = useMemo((): Keys => {
    const move = (by: number) => () => latest.current.focus(latest.current.place + by);
    const own = names.split("\n").filter((name) => name !== "");
    return {
      j: move(1),
      ArrowDown: move(1),
      k: move(-1),
      ArrowUp: move(-1),
      r: () => latest.current.apply(),
      ...Object.fromEntries(
        own.map((name) => [
          name,
          () => {
            const { rows, place, rowKeys } = latest.current;
            const row = rows[place];
            if (row === undefined) return false;
            rowKeys?.[name]?.(row);
            return undefined;
          },
        ]),
      ),
    };
  }, [names]);
  useKeys(keys);
}

/** Puts the focus on a row's link, once the row is in the page. */
function focusRow<Row>(
  scroller: HTMLElement | null,
  rows: readonly Row[],
  to: number,
  keyOf: (row: Row) => string,
  setFocused: (key: string) => void,
): void {
  const at = Math.max(0, Math.min(rows.length - 1, to));
  const row = rows[at];
  if (row === undefined || !scroller) return;
  const key = keyOf(row);
  const focus = (): boolean => {
    const found = scroller.querySelector(`tr[data-key="${CSS.escape(key)}"]`);
    found?.querySelector<HTMLElement>("a, button")?.focus({ preventScroll: true });
    found?.scrollIntoView({ block: "nearest" });
    return found !== null;
  };
  setFocused(key);
  // At once where it is there: the next key may be the one that opens it.
  if (!focus()) requestAnimationFrame(focus);
}
