import { useMemo, useRef } from "preact/hooks";

import { useKeys } from "../state/keys.ts";

export interface TabLink {
  id: string;
  label: string;
  to: string;
}

/** Each tab is an address: they are links, and `[` and `]` follow them. */
export function Tabs({
  tabs,
  current,
  label,
}: {
  tabs: readonly TabLink[];
  current: string;
  label: string;
}) {
  const list = useRef<HTMLElement>(null);
  useKeys(
    useMemo(() => {
      const step = (by: number) => (): void => {
        const links = [...(list.current?.querySelectorAll("a") ?? [])];
        const at = links.findIndex((link) => link.getAttribute("aria-current") === "page");
        links[(at + by + links.length) % links.length]?.click();
      };
      return { "[": step(-1), "]": step(1) };
    }, []),
  );
  return (
    <nav class="tabs" aria-label={label} ref={list}>
      {tabs.map(({ id, label: text, to }) => (
        <a key={id} href={to} aria-current={id === current ? "page" : undefined}>
          {text}
        </a>
      ))}
    </nav>
  );
}
