// One service: what of it serves, its instances, and beside them why one of them is as it is.

import { useMemo } from "preact/hooks";

import { countStates, serves, serviceState } from "../../model/status.ts";
import type { Instance } from "../../model/instance.ts";
import { Bar } from "../../parts/Bar.tsx";
import { Copy } from "../../parts/Copy.tsx";
import { Icon } from "../../parts/Icon.tsx";
import { Name } from "../../parts/Name.tsx";
import { Standing } from "../../parts/Standing.tsx";
import { Empty } from "../../parts/States.tsx";
import { Status } from "../../parts/Status.tsx";
import { Tabs } from "../../parts/Tabs.tsx";
import { noQuery } from "../../routes.ts";
import type { Route, ServiceRoute } from "../../routes.ts";
import { useKeys } from "../../state/keys.ts";
import { go, href } from "../../state/place.ts";
import { useTitle } from "../../state/title.ts";
import { words } from "../../text/index.ts";
import { useService } from "./data.ts";
import { Instances } from "./Instances.tsx";
import { TagList } from "./TagList.tsx";
import { WhyPanel } from "./WhyPanel.tsx";

export function ServicePage({ route }: { route: ServiceRoute }) {
  const { dc, service, tab, instance } = route;
  const { path, standing, instances } = useService(dc, service);
  const open = instance
    ? instances.find(({ node, id }) => node === instance.node && id === instance.id)
    : undefined;
  const state = serviceState(countStates(instances.map(({ state }) => state)));
  useTitle(state === "passing" || state === "empty" ? "" : words().state[state], service, dc);
  const close = (): void => go({ ...route, instance: null });
  useKeys(
    useMemo(() => {
      const out: Route = { page: "services", dc: route.dc, query: noQuery };
      return { Escape: () => go(route.instance ? { ...route, instance: null } : out) };
    }, [route]),
  );
  const isMissing = standing.phase === "ready" && instances.length === 0;
  return (
    <section class={`page ${instance ? "has-panel" : ""}`}>
      <div class="page-body">
        <Head dc={dc} service={service} instances={instances} />
        <Standing path={path} standing={standing} needs={`service:read "${service}"`}>
          {isMissing ? (
            <Missing service={service} />
          ) : (
            <>
              <ServiceTabs route={route} />
              {tab === "tags" ? (
                <TagList route={route} instances={instances} />
              ) : (
                <Instances route={route} instances={instances} />
              )}
            </>
          )}
        </Standing>
      </div>
      {instance && standing.phase === "ready" && (
        <WhyPanel key={JSON.stringify(instance)} instance={open} all={instances} onClose={close} />
      )}
    </section>
  );
}

function Head({
  dc,
  service,
  instances,
}: {
  dc: string;
  service: string;
  instances: readonly Instance[];
}) {
  const { service: said } = words();
  const counts = countStates(instances.map(({ state }) => state));
  const well = instances.filter(({ state }) => serves(state)).length;
  const states = ["passing", "warning", "maintenance", "critical"] as const;
  const dns = `${service}.service.${dc}.consul`;
  return (
    <header class="page-head">
      <a
        class="back"
        href={href({ page: "services", dc, query: noQuery })}
        aria-label={said.back}
        title={said.back}
      >
        <Icon name="back" />
      </a>
      <h1>
        <Name text={service} />
      </h1>
      {instances.length > 0 && (
        <>
          <Status state={serviceState(counts)} />
          <Bar
            label={said.serving(well, instances.length)}
            well={well}
            all={instances.length}
            parts={states.map((state) => ({ state, count: counts[state] }))}
          />
        </>
      )}
      <span class="dns-name">
        <code>
          <Name text={dns} />
        </code>
        <Copy text={dns} what={dns} />
      </span>
    </header>
  );
}

function ServiceTabs({ route }: { route: ServiceRoute }) {
  const { service: said } = words();
  const at = { ...route, instance: null, query: noQuery };
  return (
    <Tabs
      label={route.service}
      current={route.tab}
      tabs={[
        { id: "instances", label: said.instances, to: href({ ...at, tab: "instances" }) },
        { id: "tags", label: said.tags, to: href({ ...at, tab: "tags" }) },
      ]}
    />
  );
}

function Missing({ service }: { service: string }) {
  const { service: said } = words();
  return <Empty title={said.missing(service)} about={said.missingWhy} />;
}
