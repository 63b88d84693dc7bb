// Addresses of Consul's UI that have no page here: where the same is to be had.

import { quoted } from "../../model/curl.ts";
import { Command } from "../../parts/Copy.tsx";
import { Name } from "../../parts/Name.tsx";
import type { Area } from "../../routes.ts";
import { apiPath } from "../../state/live.ts";
import { apiRoot, href } from "../../state/place.ts";
import { useTitle } from "../../state/title.ts";
import { words } from "../../text/index.ts";

/** A path of the API and a command for each. */
const same: Readonly<Record<Area, { path: string; command: string }>> = {
  nodes: { path: "internal/ui/nodes", command: "proconsul catalog nodes -detailed" },
  intentions: { path: "connect/intentions", command: "proconsul intention list" },
  acls: { path: "acl/tokens", command: "proconsul acl token list" },
  peers: { path: "catalog/datacenters", command: "proconsul catalog datacenters" },
  overview: { path: "operator/autopilot/health", command: "proconsul operator raft list-peers" },
  "routing-config": {
    path: "config/service-router",
    command: "proconsul config list -kind service-router",
  },
};

export function ElsewherePage({ dc, area }: { dc: string; area: Area }) {
  const { elsewhere } = words();
  const { path, command } = same[area];
  const name = elsewhere.areas[area];
  useTitle("", name, dc);
  const url = new URL(apiPath(path, { dc }), apiRoot).href;
  return (
    <section class="page">
      <div class="notice">
        <h1>{elsewhere.title(name)}</h1>
        <p>{elsewhere.about}</p>
        <Command text={`curl ${quoted(url)}`} />
        <Command text={command} />
        <Home />
      </div>
    </section>
  );
}

export function UnknownPage({ path }: { path: string }) {
  const { elsewhere } = words();
  useTitle("", elsewhere.unknownTitle, "");
  return (
    <section class="page">
      <div class="notice">
        <h1>{elsewhere.unknownTitle}</h1>
        <p>
          <code>
            <Name text={path} />
          </code>
        </p>
        <Home />
      </div>
    </section>
  );
}

function Home() {
  return (
    <a class="main-action" href={href({ page: "start" })}>
      {words().elsewhere.home}
    </a>
  );
}
