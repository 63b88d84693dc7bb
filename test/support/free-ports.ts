// Ports for whatever a test starts. Only below the range from which the kernel takes ports for outgoing connections:
// one of those could be gone again before the agent listens on it. Every port is tried for TCP and UDP.

import { createSocket } from "node:dgram";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { connect, createServer } from "node:net";

export interface AgentPorts {
  http: number;
  dns: number;
  server: number;
  /** The Worker's own. */
  edge: number;
  serf_lan: number;
  serf_wan: number;
}

const lowest = 12_000;
const highest = lowestOutgoing() - 1;
const given = new Set<number>();

export async function freePorts(count: number): Promise<number[]> {
  const ports: number[] = [];
  while (ports.length < count) ports.push(await freePort());
  return ports;
}

export async function freePort(): Promise<number> {
  for (;;) {
    const port = lowest + Math.floor(Math.random() * (highest - lowest));
    if (given.has(port) || !(await isFree(port))) continue;
    given.add(port);
    return port;
  }
}

export async function agentPorts(): Promise<AgentPorts> {
  const [http = 0, dns = 0, server = 0, edge = 0, lan = 0, wan = 0] = await freePorts(6);
  return { http, dns, server, edge, serf_lan: lan, serf_wan: wan };
}

/** Whether nobody listens on the TCP port. */
export function isRefused(port: number, host = "127.0.0.1"): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, host);
    socket.on("connect", () => {
      socket.destroy();
      resolve(false);
    });
    socket.on("error", () => resolve(true));
  });
}

async function isFree(port: number): Promise<boolean> {
  const tcp = createServer();
  const udp = createSocket("udp4");
  try {
    await Promise.all([once(tcp.listen(port, "127.0.0.1"), "listening"), bound(udp, port)]);
    return true;
  } catch {
    return false;
  } finally {
    tcp.close();
    udp.close();
  }
}

async function bound(udp: ReturnType<typeof createSocket>, port: number): Promise<void> {
  const listening = once(udp, "listening");
  udp.bind(port, "127.0.0.1");
  await listening;
}

function lowestOutgoing(): number {
  try {
    return Number.parseInt(readFileSync("/proc/sys/net/ipv4/ip_local_port_range", "utf8"), 10);
  } catch {
    // Where there is no /proc, IANA's range holds.
    return 49_152;
  }
}
