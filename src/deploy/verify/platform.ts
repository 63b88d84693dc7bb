// What only the platform shows: that objects sleep, how far away they are, what they cost.

import type { Check } from "./check.ts";
import { expect, pause, type Registry } from "./registry.ts";

interface Cost {
  DollarsGross: number;
  DollarsBilled: number;
  Objects: { Name: string; Started: string; Requests: number }[];
}

/** Objects that nobody asks anything sleep after 10 s. */
const quietMs = 15_000;

async function started(registry: Registry): Promise<Map<string, string>> {
  const { Objects: objects } = (await registry.get("/v1/operator/cost")).json<Cost>();
  return new Map(objects.map(({ Name, Started }) => [Name, Started]));
}

export const sleep: Check = {
  name: "objects sleep",
  async run({ registry }) {
    const before = await started(registry);
    await pause(quietMs);
    const after = await started(registry);
    const slept = [...before].filter(([name, at]) => after.get(name) !== at).map(([name]) => name);
    const servers = [...before.keys()].filter((name) => name.includes("/server/"));
    const awake = servers.filter((name) => !slept.includes(name));
    // Somebody else may use the registry: one that slept shows that nothing keeps all of them awake.
    expect(
      awake.length < servers.length,
      `none of ${servers.join(", ")} slept in ${quietMs / 1_000} s`,
    );
    return `${slept.length} of ${before.size} objects were constructed anew after ${quietMs / 1_000} quiet seconds`;
  },
};

const samples = 20;

export const latency: Check = {
  name: "latency from here",
  async run({ registry, prefix }) {
    const key = `/v1/kv/${prefix}/latency`;
    const seen: string[] = [];
    try {
      await registry.put(key, "x");
      for (const mode of ["stale", "default", "consistent"]) {
        const times: number[] = [];
        for (let n = 0; n < samples; n++) {
          times.push((await registry.get(mode === "default" ? key : `${key}?${mode}`)).ms);
        }
        seen.push(`${mode} ${percentiles(times)}`);
      }
      const times: number[] = [];
      for (let n = 0; n < samples; n++) times.push((await registry.put(key, String(n))).ms);
      seen.push(`write ${percentiles(times)}`);
    } finally {
      await registry.ask(key, { method: "DELETE" });
    }
    const { headers } = await registry.get("/v1/status/leader");
    const colo = headers.get("cf-ray")?.split("-")[1];
    return `${colo === undefined ? "" : `by ${colo}: `}${seen.join(", ")} (median / worst of ${samples}, ms)`;
  },
};

function percentiles(times: number[]): string {
  const sorted = times.toSorted((a, b) => a - b);
  const median = sorted[Math.floor(sorted.length / 2)] ?? 0;
  return `${median.toFixed(1)} / ${(sorted.at(-1) ?? 0).toFixed(1)}`;
}

export const cost: Check = {
  name: "cost",
  async run({ registry }) {
    const {
      Objects: objects,
      DollarsGross,
      DollarsBilled,
    } = (await registry.get("/v1/operator/cost")).json<Cost>();
    expect(objects.length > 0, "no object says what it did");
    const [gross, billed] = [DollarsGross.toFixed(4), DollarsBilled.toFixed(2)];
    return `$${gross} this month without what the plan includes, $${billed} with it`;
  },
};
