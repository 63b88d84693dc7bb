// Connect's roots, followed for as long as the agent runs: who has a certificate under them is an agent.

import type { Cluster } from "../../ports/cluster.ts";
import { sleep } from "../../ports/timers.ts";
import { nodeTimers } from "../timers.ts";

export interface ConnectRoots {
  trustDomain: string;
  /** PEM, one each. */
  roots: string[];
  /** The one that is active, and the key that signs under it; "" for none. */
  signer: string;
}

const waitMs = 600_000;
const retryMs = 5_000;

/** Rejects with ServiceError. */
export async function readRoots(cluster: Pick<Cluster, "read">): Promise<ConnectRoots> {
  const { body } = await cluster.read("ca.roots", {}, { consistency: "stale" });
  return rootsIn(body);
}

/** Tells of the roots, and of each change, until the signal. Never rejects. */
export async function followRoots(
  cluster: Pick<Cluster, "read">,
  signal: AbortSignal,
  changed: (roots: ConnectRoots) => void,
): Promise<void> {
  let minIndex = 0;
  while (!signal.aborted) {
    try {
      const how = { minIndex, waitMs, signal, consistency: "stale" } as const;
      const { body, index } = await cluster.read("ca.roots", {}, how);
      if (index !== minIndex) changed(rootsIn(body));
      minIndex = Math.max(1, index);
    } catch {
      // No server can be asked: the link says so.
      await sleep(nodeTimers, retryMs);
    }
  }
}

function rootsIn(body: string | null): ConnectRoots {
  const { TrustDomain: trustDomain = "", Roots: all } = JSON.parse(body ?? "{}") as {
    TrustDomain?: string;
    Roots?: { ID: string; SigningKeyID: string; RootCert: string; Active: boolean }[] | null;
  };
  const active = all?.find(({ Active }) => Active);
  return {
    trustDomain,
    roots: (all ?? []).map(({ RootCert }) => RootCert),
    signer: active ? `${active.ID} ${active.SigningKeyID}` : "",
  };
}
