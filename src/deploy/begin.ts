// What is done once, when a deployment answers for the first time: wait for its leader, make the first token.

import { DeploymentError } from "./deployment.ts";

/** A registry as its deployer sees it. */
export interface Registry {
  url: string;
  deploySecret: string;
}

export interface Waiting {
  fetch: typeof fetch;
  nowMs(): number;
  sleep(ms: number): Promise<void>;
}

const leaderWaitMs = 120_000;
const pollMs = 2_000;
const requestTimeoutMs = 15_000;

/** Resolves to the leader's address. Throws DeploymentError when there is none in two minutes. */
export async function untilLed(url: string, { fetch, nowMs, sleep }: Waiting): Promise<string> {
  const deadlineMs = nowMs() + leaderWaitMs;
  let last = "nothing answered";
  while (nowMs() < deadlineMs) {
    try {
      const answer = await fetch(`${url}/v1/status/leader`, {
        signal: AbortSignal.timeout(requestTimeoutMs),
      });
      const text = (await answer.text()).trim();
      if (answer.ok && text !== '""' && text.startsWith('"')) return JSON.parse(text) as string;
      last = `${answer.status} ${text.slice(0, 200)}`;
    } catch (failure) {
      last = String(failure);
    }
    await sleep(pollMs);
  }
  throw new DeploymentError(`${url} has no leader after two minutes: ${last}`);
}

/** What hosts and resolvers are told at first. */
export interface FirstKeys {
  joinToken: string;
  /** Path at the registry. */
  dnsPath: string;
}

const dnsPolicy = {
  Name: "dns",
  Description: "What DNS shows",
  Rules:
    'node_prefix "" { policy = "read" }\nservice_prefix "" { policy = "read" }\nquery_prefix "" { policy = "read" }',
};

/** What the registry says of a policy's name that is taken. */
const thereText = `A Policy with Name "${dnsPolicy.Name}" already exists`;

/**
 * A join token for any host, and a key for DNS with a token that may read what DNS shows, and no more. Throws
 * DeploymentError.
 */
export async function firstKeys(
  url: string,
  management: string,
  { fetch }: Pick<Waiting, "fetch">,
): Promise<FirstKeys> {
  const put = async (path: string, body: object, token = management): Promise<string> => {
    const answer = await fetch(`${url}${path}`, {
      ...{ method: "PUT", headers: { "X-Consul-Token": token }, body: JSON.stringify(body) },
      signal: AbortSignal.timeout(requestTimeoutMs),
    });
    const text = await answer.text();
    // Left by a deployment that was interrupted here.
    if (answer.ok || text.includes(thereText)) return text;
    throw new DeploymentError(`PUT ${path}: ${answer.status} ${text.slice(0, 200)}`);
  };
  const join = await put("/v1/operator/join-token", { Description: "The first join token" });
  await put("/v1/acl/policy", dnsPolicy);
  const grant = { Description: "DNS over HTTPS", Policies: [{ Name: dnsPolicy.Name }] };
  const reader = JSON.parse(await put("/v1/acl/token", grant)) as { SecretID: string };
  const key = await put("/v1/operator/dns-key", {}, reader.SecretID);
  return {
    joinToken: (JSON.parse(join) as { Token: string }).Token,
    dnsPath: (JSON.parse(key) as { Path: string }).Path,
  };
}

/** The management token's secret; null when the registry had one before. Throws DeploymentError. */
export async function bootstrap(
  { url, deploySecret }: Registry,
  { fetch }: Pick<Waiting, "fetch">,
): Promise<string | null> {
  const answer = await fetch(`${url}/v1/acl/bootstrap`, {
    method: "PUT",
    headers: { "X-Proconsul-Secret": deploySecret },
    signal: AbortSignal.timeout(requestTimeoutMs),
  });
  const text = await answer.text();
  if (answer.status === 403 && text.includes("no longer allowed")) return null;
  if (!answer.ok) {
    throw new DeploymentError(
      `the first token cannot be made: ${answer.status} ${text.slice(0, 200)}`,
    );
  }
  return (JSON.parse(text) as { SecretID: string }).SecretID;
}
