// TCP checks: a connection that can be opened passes.

import { connect } from "node:net";
import type { CheckDefinition } from "../../core/agent/definitions.ts";
import { type HostPort, splitHostPort } from "../../core/lib/host-port.ts";
import { critical, deadline, dialError, probeTimeoutMsDefault, type Probe } from "./probe.ts";

export function tcpProbe(check: CheckDefinition): Probe {
  return async (outer) => {
    const target = splitHostPort(check.tcp);
    if (target === null) {
      return critical(`dial tcp: address ${check.tcp}: missing port in address`);
    }
    const limit = deadline(outer, check.timeoutMs || probeTimeoutMsDefault);
    try {
      await opened(target, limit.signal);
      return { status: "passing", output: `TCP connect ${check.tcp}: Success` };
    } catch (error) {
      const reason = limit.timedOut()
        ? `dial tcp ${check.tcp}: i/o timeout`
        : dialError(error, check.tcp);
      return critical(reason);
    } finally {
      limit.done();
    }
  };
}

function opened({ host, port }: HostPort, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: host === "" ? "localhost" : host, port });
    const abort = (): void => {
      socket.destroy();
      reject(new Error("aborted"));
    };
    if (signal.aborted) return abort();
    signal.addEventListener("abort", abort, { once: true });
    socket.once("connect", () => {
      signal.removeEventListener("abort", abort);
      socket.destroy();
      resolve();
    });
    socket.once("error", (error) => {
      signal.removeEventListener("abort", abort);
      reject(error);
    });
  });
}
