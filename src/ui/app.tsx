// Which page an address shows.

import { useEffect, useRef } from "preact/hooks";

import { Frame } from "./parts/Frame.tsx";
import { ElsewherePage, UnknownPage } from "./pages/elsewhere/page.tsx";
import { KeysPage } from "./pages/kv/page.tsx";
import { ServicePage } from "./pages/service/page.tsx";
import { ServicesPage } from "./pages/services/page.tsx";
import { SettingsPage } from "./pages/settings/page.tsx";
import { StartPage } from "./pages/start.tsx";
import type { Route } from "./routes.ts";
import { route } from "./state/place.ts";

export function App() {
  const at = route.value;
  // Pages of no datacenter stay in the one that was last open.
  const last = useRef("");
  if ("dc" in at) last.current = at.dc;
  useFocus(at);
  return (
    <Frame dc={last.current}>
      <Page at={at} />
    </Frame>
  );
}

function Page({ at }: { at: Route }) {
  switch (at.page) {
    case "start":
      return <StartPage />;
    case "services":
      return <ServicesPage key={at.dc} dc={at.dc} query={at.query} />;
    case "service":
      return <ServicePage key={`${at.dc} ${at.service}`} route={at} />;
    case "folder":
    case "key":
    case "new-key":
      return <KeysPage route={at} />;
    case "settings":
      return <SettingsPage />;
    case "elsewhere":
      return <ElsewherePage dc={at.dc} area={at.area} />;
    case "unknown":
      return <UnknownPage path={at.path} />;
    default:
      return at satisfies never;
  }
}

/** A new page is where the focus goes, as with pages that a browser loads; not what changes within one. */
function useFocus(at: Route): void {
  const page = "service" in at ? `service ${at.dc} ${at.service}` : at.page;
  const before = useRef(page);
  useEffect(() => {
    if (before.current === page) return;
    if (before.current !== "start") document.querySelector<HTMLElement>("main")?.focus();
    before.current = page;
  }, [page]);
}
