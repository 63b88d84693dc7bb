// What all checks have in common: one run gives one result, can be aborted, and says what went
// wrong in Go's words, because Consul's users grep for them.

import type { CheckStatus } from "../../core/agent/definitions.ts";
import { joinHostPort } from "../../core/lib/host-port.ts";
import { tlsFailure } from "../tls/failures.ts";

export interface ProbeResult {
  status: CheckStatus;
  output: string;
}

/** One run. Never rejects; after an abort its result does not matter. */
export type Probe = (signal: AbortSignal) => Promise<ProbeResult>;

export const probeTimeoutMsDefault = 10_000;

export function critical(output: string): ProbeResult {
  return { status: "critical", output };
}

const systemErrors: Record<string, string> = {
  ECONNREFUSED: "connect: connection refused",
  ECONNRESET: "read: connection reset by peer",
  EHOSTUNREACH: "connect: no route to host",
  ENETUNREACH: "connect: network is unreachable",
  ETIMEDOUT: "i/o timeout",
};

interface SystemError extends Error {
  code?: string;
  address?: string;
  port?: number;
  hostname?: string;
  /** Of an AggregateError: one for each address that was tried. */
  errors?: SystemError[];
}

/** Why a connection to `target` (`host:port`) failed. */
export function dialError(error: unknown, target: string): string {
  const failure = error as SystemError;
  // Several addresses of one name were tried; Go reports the first.
  const cause = failure.errors?.[0] ?? failure;
  const code = cause.code ?? "";
  if (code === "ENOTFOUND" || code === "EAI_AGAIN") {
    return `dial tcp: lookup ${cause.hostname ?? target}: no such host`;
  }
  const known = systemErrors[code];
  if (known === undefined) return tlsFailure(cause) ?? cause.message;
  const address =
    cause.address === undefined ? target : joinHostPort(cause.address, cause.port ?? 0);
  return `dial tcp ${address}: ${known}`;
}

/**
 * A signal that fires at the timeout or when `outer` does, whichever is first. `timedOut` tells
 * them apart; `done` must be called when the run is over.
 */
export function deadline(
  outer: AbortSignal,
  timeoutMs: number,
): { signal: AbortSignal; timedOut(): boolean; done(): void } {
  const controller = new AbortController();
  let expired = false;
  const timer = setTimeout(() => {
    expired = true;
    controller.abort();
  }, timeoutMs);
  const abort = (): void => controller.abort();
  if (outer.aborted) abort();
  outer.addEventListener("abort", abort, { once: true });
  return {
    signal: controller.signal,
    timedOut: () => expired,
    done: () => {
      clearTimeout(timer);
      outer.removeEventListener("abort", abort);
    },
  };
}
