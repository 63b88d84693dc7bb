// What is always in view: which datacenter, whether everything is all right, whether that is so now, and who asks.

import { useServers, useServices } from "../state/cluster.ts";
import { noQuery } from "../routes.ts";
import { verdict, wrongStates } from "../model/verdict.ts";
import type { Verdict } from "../model/verdict.ts";
import { href } from "../state/place.ts";
import { formatNumber, words } from "../text/index.ts";
import { Connection } from "./Connection.tsx";
import { DatacenterMenu } from "./DatacenterMenu.tsx";
import { Name } from "./Name.tsx";
import { Glyph } from "./Status.tsx";
import { Who } from "./Who.tsx";

export function TopBar({ dc }: { dc: string }) {
  return (
    <header class="top">
      {dc !== "" && <Datacenter dc={dc} />}
      <Who />
    </header>
  );
}

function Datacenter({ dc }: { dc: string }) {
  const services = useServices(dc);
  return (
    <>
      <DatacenterMenu dc={dc} />
      <p class="verdict">
        {services.body === undefined ? (
          <span class="muted">
            {services.standing.phase === "loading"
              ? words().verdict.looking
              : words().verdict.unknown}
          </span>
        ) : (
          <Line dc={dc} facts={verdict(services.body)} />
        )}
        <Servers dc={dc} />
      </p>
      <Connection standing={services.standing} />
    </>
  );
}

function Line({ dc, facts }: { dc: string; facts: Verdict }) {
  const { verdict: said } = words();
  const { byState, services, countsInstances } = facts;
  const words1 = { ...said, warning: said.warn };
  const well = byState.passing + byState.warning;
  const serving = countsInstances ? well + byState.degraded : well;
  const to = (filter: string): string => {
    return href({ page: "services", dc, query: { ...noQuery, filter } });
  };
  return (
    <>
      {wrongStates.flatMap((state) =>
        byState[state] === 0
          ? []
          : [
              <a key={state} class={`is-${state}`} href={to(`status:${state}`)}>
                <Glyph state={state} />
                {words1[state](formatNumber(byState[state]))}
              </a>,
            ],
      )}
      <span class="is-passing">
        <Glyph state={services === 0 ? "empty" : "passing"} />
        {services === 0
          ? said.services(0, formatNumber(0))
          : countsInstances
            ? said.serve(formatNumber(serving))
            : said.pass(formatNumber(well))}
      </span>
    </>
  );
}

function Servers({ dc }: { dc: string }) {
  const facts = useServers(dc);
  const { verdict: said } = words();
  if (!facts) return null;
  return (
    <>
      <span class={facts.leader === "" ? "is-down" : "muted"}>
        {facts.leader === "" ? said.noLeader : <Name text={said.leader(facts.leader)} />}
      </span>
      {facts.all > 0 && (
        <span class={facts.well === facts.all ? "muted" : "is-warning"}>
          {said.servers(formatNumber(facts.well), formatNumber(facts.all))}
        </span>
      )}
    </>
  );
}
