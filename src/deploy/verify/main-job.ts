// Register, find by HTTP and by DNS over HTTPS, fall silent, be gone.

import type { Check } from "./check.ts";
import { expect, type Registry, until } from "./registry.ts";

const ttlMs = 3_000;
/** A TTL may be noticed late, by an alarm; never early. */
const lateMs = 30_000;

export const mainJob: Check = {
  name: "register, find, lose",
  async run({ registry, prefix }) {
    const name = `${prefix}-job`;
    const passing = async (): Promise<number> =>
      (await registry.get(`/v1/health/service/${name}?passing`)).json<unknown[]>().length;
    await registry.put("/v1/agent/service/register", {
      ...{ Name: name, Address: "192.0.2.1", Port: 80, Tags: ["verify"] },
      Check: { TTL: `${ttlMs}ms` },
    });
    try {
      expect((await passing()) === 0, "a check that nobody passed passes");
      await registry.put(`/v1/agent/check/pass/service:${name}`);
      const passedMs = performance.now();
      await until("it is found by HTTP", 5_000, async () => (await passing()) === 1);
      const addresses = await resolve(registry, `${name}.service.consul`);
      expect(addresses.join() === "192.0.2.1", `DNS says ${addresses.join() || "nothing"}`);
      await until("it is lost", ttlMs + lateMs, async () => (await passing()) === 0);
      const silentMs = performance.now() - passedMs;
      expect(
        silentMs > ttlMs - 250,
        `its TTL of ${ttlMs} ms ended after ${Math.round(silentMs)} ms`,
      );
      return `found by HTTP and DNS; lost ${Math.round(silentMs - ttlMs)} ms after its TTL`;
    } finally {
      await registry.put(`/v1/agent/service/deregister/${name}`);
    }
  },
};

/** Addresses, by the JSON form. */
async function resolve(registry: Registry, name: string): Promise<string[]> {
  const { Answer: answers = [] } = (
    await registry.get(`/dns-query?name=${name}&type=A`, {
      headers: { accept: "application/dns-json" },
    })
  ).json<{ Answer?: { type: number; data: string }[] }>();
  return answers.filter(({ type }) => type === 1).map(({ data }) => data);
}

/** `a.consul` with type A, as RFC 1035 writes it. */
function question(name: string): Uint8Array {
  const labels = name.split(".").flatMap((label) => [label.length, ...Buffer.from(label)]);
  return Uint8Array.from([0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, ...labels, 0, 0, 1, 0, 1]);
}

export const dnsOverHttps: Check = {
  name: "DNS over HTTPS as RFC 8484 says",
  async run({ registry }) {
    const query = question("consul.service.consul");
    const type = "application/dns-message";
    const encoded = Buffer.from(query).toString("base64url");
    const ways = {
      GET: await registry.get(`/dns-query?dns=${encoded}`, { headers: { accept: type } }),
      POST: await registry.get("/dns-query", {
        ...{ method: "POST", body: query, headers: { "content-type": type, accept: type } },
      }),
    };
    for (const [way, { headers }] of Object.entries(ways)) {
      const given = headers.get("content-type");
      expect(given === type, `${way}: ${given}`);
    }
    const { status } = await registry.ask("/dns-query", {
      ...{ method: "POST", body: "x", headers: { "content-type": "text/plain" } },
    });
    expect(status === 415, `a body of another type: ${status}`);
    return `GET ${Math.round(ways.GET.ms)} ms, POST ${Math.round(ways.POST.ms)} ms`;
  },
};
