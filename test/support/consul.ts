// The real Consul, as a process with ports of its own. Whatever a test leaves running ends with its file.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { accessSync, constants, writeFileSync } from "node:fs";
import { join } from "node:path";

import { eventually } from "./eventually.ts";
import { freePorts } from "./free-ports.ts";
import { request, temporaryDirectory } from "./proconsul.ts";

/** Null where it is not: says so loudly, so that nobody thinks that it was asked. */
export function consulBinary(): string | null {
  const binary = process.env.CONSUL_BIN ?? "";
  try {
    accessSync(binary, constants.X_OK);
    return binary;
  } catch {
    console.warn("LEFT OUT: CONSUL_BIN names no Consul, so nothing is compared with the real one");
    return null;
  }
}

const running = new Set<ChildProcess>();

export interface RealConsul {
  url: string;
  node: string;
}

/**
 * A server of its own, in memory, with ACLs that deny and `master` as the administrator's token. `more`: flags besides.
 */
export async function startConsul(
  binary: string,
  node: string,
  master: string,
  more: readonly string[] = [],
): Promise<RealConsul> {
  const [http = 0, server = 0, lan = 0, wan = 0] = await freePorts(4);
  const file = join(temporaryDirectory(), "consul.json");
  const acl = { enabled: true, default_policy: "deny", tokens: { master, agent: master } };
  writeFileSync(file, JSON.stringify({ primary_datacenter: "dc1", acl }));
  const child = spawn(
    binary,
    [
      ...["agent", "-dev", "-node", node, "-bind", "127.0.0.1", "-client", "127.0.0.1"],
      ...["-http-port", `${http}`, "-dns-port", "-1", "-grpc-port", "-1"],
      ...["-server-port", `${server}`, "-serf-lan-port", `${lan}`, "-serf-wan-port", `${wan}`],
      ...["-log-level", "err", "-config-file", file, ...more],
    ],
    { stdio: "ignore" },
  );
  running.add(child);
  const url = `http://127.0.0.1:${http}`;
  const headers = { "X-Consul-Token": master };
  await eventually(
    async () => {
      const { text } = await request(`${url}/v1/catalog/nodes`, { headers });
      // What its leader founds comes a little later.
      const roots = await request(`${url}/v1/connect/ca/roots`, { headers });
      return text.includes(node) && roots.status === 200 && roots.text.includes("RootCert");
    },
    { what: "Consul has a leader", limitMs: 30_000 },
  );
  return { url, node };
}

/** For `afterAll`. */
export async function stopConsuls(): Promise<void> {
  for (const child of running) {
    const ended = once(child, "close");
    if (child.exitCode === null && child.kill("SIGKILL")) await ended;
  }
  running.clear();
}
