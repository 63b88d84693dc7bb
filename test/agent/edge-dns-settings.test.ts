// The Worker that an agent runs answers DNS as the agent is configured to.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";

import { loadAgentConfig } from "../../src/agent/config/load.ts";
import { serverSettings } from "../../src/agent/servers/settings.ts";
import { edgeDnsSettings } from "../../src/core/dns/given-settings.ts";
import { defaultDnsSettings } from "../../src/core/dns/settings.ts";
import { stopAll, temporaryDirectory } from "../support/proconsul.ts";

afterAll(stopAll);

function settingsOf(config: object) {
  const file = join(temporaryDirectory(), "agent.json");
  writeFileSync(file, JSON.stringify(config));
  const loaded = loadAgentConfig(["-dev", "-config-file", file]);
  return edgeDnsSettings(serverSettings(loaded, "key").DNS, "dc1");
}

test("whatever it is told of zones, lifetimes and limits", () => {
  const dns = {
    ...{ node_ttl: "1m30s", service_ttl: { web: "5s", "*": "250ms" }, soa: { min_ttl: 7 } },
    ...{ only_passing: true, a_record_limit: 3 },
  };
  const { settings } = settingsOf({ domain: "corp.", alt_domain: "test.", dns_config: dns });
  expect(settings).toMatchObject({
    ...{ domain: "corp", altDomain: "test", nodeTtlMs: 90_000, onlyPassing: true, aRecordLimit: 3 },
    ...{ serviceTtlMs: { web: 5_000, "*": 250 }, soa: { minTtlSeconds: 7 } },
  });
});

test("told nothing, as Consul; and other names are refused, though the agent has recursors", () => {
  const { settings, recursors } = settingsOf({ recursors: ["192.0.2.53"] });
  expect(settings).toEqual({ ...defaultDnsSettings, datacenter: "dc1" });
  expect(recursors).toEqual([]);
});
