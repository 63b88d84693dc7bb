// UDP checks: a datagram is sent, and passes unless the host says that nobody is there. No answer within the timeout is
// no news, because few services answer what they do not know.

import { createSocket } from "node:dgram";
import { lookup } from "node:dns/promises";
import type { CheckDefinition } from "../../core/agent/definitions.ts";
import { type HostPort, splitHostPort } from "../../core/lib/host-port.ts";
import { critical, deadline, dialError, probeTimeoutMsDefault, type Probe } from "./probe.ts";

export function udpProbe(check: CheckDefinition): Probe {
  return async (outer) => {
    const target = splitHostPort(check.udp);
    if (target === null) {
      return critical(`dial udp: address ${check.udp}: missing port in address`);
    }
    const limit = deadline(outer, check.timeoutMs || probeTimeoutMsDefault);
    try {
      await unrefused(target, limit.signal);
      return { status: "passing", output: `UDP connect ${check.udp}: Success` };
    } catch (error) {
      return critical(dialError(error, check.udp).replace(/^dial tcp/, "dial udp"));
    } finally {
      limit.done();
    }
  };
}

/** Resolves with the first answer, or when `signal` fires. */
async function unrefused({ host, port }: HostPort, signal: AbortSignal): Promise<void> {
  const { address, family } = await lookup(host === "" ? "localhost" : host);
  const socket = createSocket(family === 6 ? "udp6" : "udp4");
  try {
    await new Promise<void>((resolve, reject) => {
      if (signal.aborted) return resolve();
      signal.addEventListener("abort", () => resolve(), { once: true });
      socket.once("error", reject);
      socket.once("message", () => resolve());
      socket.connect(port, address, () => {
        socket.send("", (failure) => {
          if (failure) reject(failure);
        });
      });
    });
  } finally {
    socket.close();
  }
}
