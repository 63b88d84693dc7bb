// Where one can go.

import { showsKeys, showsRequests } from "../state/dialogs.ts";
import { href, route } from "../state/place.ts";
import { noQuery } from "../routes.ts";
import { words } from "../text/index.ts";
import { Icon, Mark } from "./Icon.tsx";
import type { IconName } from "./Icon.tsx";

export function Rail({ dc }: { dc: string }) {
  const { nav } = words();
  const { page } = route.value;
  const isServices = page === "services" || page === "service";
  return (
    <nav class="rail" aria-label={nav.main}>
      <a class="brand" href={href({ page: "start" })}>
        <Mark />
        <span>Proconsul</span>
      </a>
      <ul>
        <Place
          to={href(dc === "" ? { page: "start" } : { page: "services", dc, query: noQuery })}
          icon="services"
          label={nav.services}
          isHere={isServices}
          keys="g s"
        />
        <Place
          to={href(
            dc === "" ? { page: "start" } : { page: "folder", dc, prefix: "", query: noQuery },
          )}
          icon="kv"
          label={nav.kv}
          isHere={page === "folder" || page === "key" || page === "new-key"}
          keys="g k"
        />
      </ul>
      <ul>
        <li>
          <button type="button" aria-keyshortcuts="c" onClick={() => (showsRequests.value = true)}>
            <Icon name="curl" />
            <span>{nav.requests}</span>
          </button>
        </li>
        <li>
          <button type="button" aria-keyshortcuts="?" onClick={() => (showsKeys.value = true)}>
            <Icon name="keys" />
            <span>{nav.keys}</span>
          </button>
        </li>
        <Place
          to={href({ page: "settings" })}
          icon="settings"
          label={nav.settings}
          isHere={page === "settings"}
          keys="g ,"
        />
      </ul>
    </nav>
  );
}

interface PlaceProps {
  to: string;
  icon: IconName;
  label: string;
  isHere: boolean;
  keys: string;
}

function Place({ to, icon, label, isHere, keys }: PlaceProps) {
  return (
    <li>
      <a href={to} aria-current={isHere ? "page" : undefined} aria-keyshortcuts={keys}>
        <Icon name={icon} />
        <span>{label}</span>
      </a>
    </li>
  );
}
