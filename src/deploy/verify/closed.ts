// Nobody without a token, or with a wrong one, gets in; what load balancers poll is public.

import type { Check } from "./check.ts";
import { expect, until } from "./registry.ts";

export const closed: Check = {
  name: "closed to strangers",
  async run({ registry }) {
    const strangers: [string, { token: string | null; headers?: Record<string, string> }][] = [
      ["no token", { token: null }],
      ["a token of nobody", { token: crypto.randomUUID() }],
      ["a made-up secret", { token: null, headers: { "X-Proconsul-Secret": "guess" } }],
    ];
    for (const [who, shown] of strangers) {
      for (const path of [
        "/v1/kv/?recurse",
        "/v1/catalog/nodes",
        "/v1/acl/tokens",
        "/dns-query?name=a.consul",
      ]) {
        const { status, text } = await registry.ask(path, shown);
        const isEmpty = status === 200 && (text === "[]" || text === "{}" || isRefusedByDns(text));
        expect([401, 403, 404, 429].includes(status) || isEmpty, `${path} with ${who}: ${status}`);
      }
    }
    let leader = "";
    await until("it has a leader", 20_000, async () => {
      leader = (await registry.get("/v1/status/leader", { token: null })).text.trim();
      return leader !== '""';
    });
    return `strangers are refused; the leader is ${leader}`;
  },
};

/** DNS refuses in its own words, with HTTP's 200. */
function isRefusedByDns(text: string): boolean {
  const { Status: rcode, Answer: answers = [] } = JSON.parse(text) as {
    Status?: number;
    Answer?: object[];
  };
  return rcode !== undefined && rcode !== 0 && answers.length === 0;
}

export const servers: Check = {
  name: "servers",
  async run({ registry }) {
    const datacenters = (await registry.get("/v1/catalog/datacenters")).json<string[]>();
    const seen: string[] = [];
    for (const dc of datacenters) {
      const { Servers: group } = (
        await registry.get(`/v1/operator/raft/configuration?dc=${dc}`)
      ).json<{ Servers: { Leader: boolean; Voter: boolean }[] }>();
      const voters = group.filter(({ Voter }) => Voter).length;
      expect(voters % 2 === 1, `${dc} has ${voters} voters`);
      expect(group.filter(({ Leader }) => Leader).length === 1, `${dc} has no leader`);
      seen.push(`${dc} ${voters} voters`);
    }
    return seen.join(", ");
  },
};
