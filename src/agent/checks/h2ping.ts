// H2 ping checks: a connection of HTTP/2 on which a ping is answered passes; by TLS unless the check says otherwise.

import { connect } from "node:http2";
import type { CheckDefinition } from "../../core/agent/definitions.ts";
import { splitHostPort } from "../../core/lib/host-port.ts";
import { critical, deadline, dialError, probeTimeoutMsDefault, type Probe } from "./probe.ts";

export function h2pingProbe(check: CheckDefinition): Probe {
  return async (outer) => {
    const target = splitHostPort(check.h2ping);
    if (target === null) {
      const reason = `dial tcp: address ${check.h2ping}: missing port in address`;
      return critical(`Failed to dial to ${check.h2ping}: ${reason}`);
    }
    const limit = deadline(outer, check.timeoutMs || probeTimeoutMsDefault);
    try {
      await pinged(check, limit.signal);
      return { status: "passing", output: "HTTP2 ping was successful" };
    } catch (error) {
      if (limit.timedOut()) return critical("HTTP2 ping failed: context deadline exceeded");
      return critical(`Failed to dial to ${check.h2ping}: ${dialError(error, check.h2ping)}`);
    } finally {
      limit.done();
    }
  };
}

async function pinged(check: CheckDefinition, signal: AbortSignal): Promise<void> {
  const scheme = check.h2pingUseTls ? "https" : "http";
  const host = check.h2ping.startsWith(":") ? `localhost${check.h2ping}` : check.h2ping;
  const session = connect(`${scheme}://${host}`, { rejectUnauthorized: !check.tlsSkipVerify });
  const abort = (): void => session.destroy();
  signal.addEventListener("abort", abort, { once: true });
  try {
    await new Promise<void>((resolve, reject) => {
      session.once("error", reject);
      session.once("close", () => reject(new Error("the connection was closed")));
      session.once("connect", () => {
        session.ping((failure) => {
          if (failure) reject(failure);
          else resolve();
        });
      });
    });
  } finally {
    signal.removeEventListener("abort", abort);
    session.destroy();
  }
}
