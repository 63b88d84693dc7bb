// Where the application is: its own path, the API's, and the address that is open now.

import { signal } from "@preact/signals";
import type { ReadonlySignal } from "@preact/signals";

import { pathInHash, pathOf, routeOf } from "../routes.ts";
import type { Route } from "../routes.ts";

/** The UI's own path, from where its files are: `/ui/`, or `/consul/ui/` behind a proxy. */
export const base = new URL("..", import.meta.url);

/** The API's root: what is before `ui/`. */
export const apiRoot = new URL(base.pathname.replace(/ui\/$/, ""), base).href;

const here = signal<Route>({ page: "start" });

export const route: ReadonlySignal<Route> = here;

export function href(to: Route): string {
  return base.pathname + pathOf(to);
}

/** Opens a route. `replace`: without a step back to where one was. */
export function go(to: Route, { replace = false } = {}): void {
  const target = href(to);
  if (replace) history.replaceState(null, "", target);
  else if (target !== location.pathname + location.search) history.pushState(null, "", target);
  here.value = to;
}

/** Reads the address, now and whenever it changes, and opens links within the page. */
export function followAddress(): void {
  cleanAddress();
  read();
  addEventListener("popstate", read);
  addEventListener("hashchange", () => {
    cleanAddress();
    read();
  });
  document.addEventListener("click", followLink);
}

function read(): void {
  const { pathname, search } = location;
  here.value = routeOf(pathname.slice(base.pathname.length), search);
}

/** Takes old links to where they lead now, and secrets out of the address, the history and every list of links. */
function cleanAddress(): void {
  const url = new URL(location.href);
  const old = pathInHash(url.hash);
  const clean = old === "" ? url : new URL(old, base);
  if (old === "" && !/[?&#](?:token|access_token|secret)=/i.test(url.search + url.hash)) return;
  for (const name of [...clean.searchParams.keys()]) {
    if (/^(?:token|access_token|secret)$/i.test(name)) clean.searchParams.delete(name);
  }
  clean.hash = "";
  // A link may not lead elsewhere.
  const isOwn = clean.origin === base.origin && clean.pathname.startsWith(base.pathname);
  history.replaceState(null, "", isOwn ? clean.pathname + clean.search : base.pathname);
}

function followLink(event: MouseEvent): void {
  const { target, button, ctrlKey, metaKey, shiftKey, altKey } = event;
  if (event.defaultPrevented || button !== 0 || ctrlKey || metaKey || shiftKey || altKey) return;
  const link = target instanceof Element ? target.closest("a") : null;
  if (!link || link.target !== "" || link.hasAttribute("download")) return;
  const url = new URL(link.href);
  const isOwn = url.origin === base.origin && url.pathname.startsWith(base.pathname);
  if (!isOwn || url.hash !== "") return;
  event.preventDefault();
  go(routeOf(url.pathname.slice(base.pathname.length), url.search));
}
