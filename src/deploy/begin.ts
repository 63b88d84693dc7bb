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
