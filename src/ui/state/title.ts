// The window's title carries the verdict, so that it can be read from another window.

import { useEffect } from "preact/hooks";

import { plain } from "../model/names.ts";
import { words } from "../text/index.ts";

export function useTitle(verdict: string, page: string, dc: string): void {
  const title = plain(words().title(verdict, page, dc));
  useEffect(() => {
    document.title = title;
  }, [title]);
}
