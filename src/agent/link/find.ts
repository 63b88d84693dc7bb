// What `-join` and `-retry-join` name, as addresses: all that a DNS name has, what an SRV record says, what a command
// prints (`exec=COMMAND`, for clouds: any provider's own tool tells who is there).

import { execFile } from "node:child_process";
import { lookup, resolveSrv } from "node:dns/promises";
import { isIP } from "node:net";

import { joinHostPort, splitHostPort } from "../../core/lib/host-port.ts";
import { isDeployment } from "./server-list.ts";

const execScheme = "exec=";
const execTimeoutMs = 10_000;
const execOutputBytesMax = 64 * 1024;
/** More servers than any datacenter has. */
const foundMax = 256;

/** The resolver; replaced in tests. */
export interface Names {
  lookup(name: string): Promise<string[]>;
  srv(name: string): Promise<{ name: string; port: number }[]>;
}

const systemNames: Names = {
  lookup: async (name) => (await lookup(name, { all: true })).map(({ address }) => address),
  srv: resolveSrv,
};

export interface Found {
  /** IP addresses, with a port where one was named; deployments as they are. */
  addresses: string[];
  /** One line for each that could not be found out. */
  failures: string[];
}

/** Whether it is an address by itself, which may be dialled at any time. */
export function isDirect(address: string): boolean {
  return !address.startsWith(execScheme) && !isService(address);
}

/** `_consul._tcp.example.com`: only SRV records have such names. */
function isService(address: string): boolean {
  return /^_[\w-]+\._[\w-]+\./.test(address);
}

/** Never rejects. */
export async function findAddresses(
  given: readonly string[],
  names: Names = systemNames,
): Promise<Found> {
  const found: Found = { addresses: [], failures: [] };
  const each = await Promise.all(given.map((address) => findOne(address, names)));
  for (const { addresses, failures } of each) {
    found.addresses.push(...addresses);
    found.failures.push(...failures);
  }
  return { ...found, addresses: [...new Set(found.addresses)].slice(0, foundMax) };
}

async function findOne(address: string, names: Names): Promise<Found> {
  try {
    if (isDeployment(address)) return { addresses: [address], failures: [] };
    if (address.startsWith(execScheme)) {
      const printed = await printedBy(address.slice(execScheme.length));
      return await findAddresses(
        printed.filter((word) => isDirect(word) && !isDeployment(word)),
        names,
      );
    }
    if (isService(address)) {
      const records = await names.srv(address);
      const hosts = records.slice(0, foundMax).map(({ name, port }) => `${name}:${port}`);
      return await findAddresses(hosts.filter(isDirect), names);
    }
    return { addresses: await addressesOf(address, names), failures: [] };
  } catch (failure) {
    return { addresses: [], failures: [reasonOf(address, failure as NodeJS.ErrnoException)] };
  }
}

async function addressesOf(address: string, names: Names): Promise<string[]> {
  const given = splitHostPort(address);
  const host = given?.host || address.replace(/^\[(.*)\]$/, "$1");
  if (isIP(host) !== 0) return [address];
  const all = await names.lookup(host);
  return given ? all.map((one) => joinHostPort(one, given.port)) : all;
}

function reasonOf(address: string, failure: NodeJS.ErrnoException): string {
  if (address.startsWith(execScheme)) return `Failed to discover ${address}: ${failure.message}`;
  const unknown = ["ENOTFOUND", "ENODATA", "EAI_AGAIN"].includes(failure.code ?? "");
  const reason = unknown ? `lookup ${address}: no such host` : failure.message;
  return `Failed to resolve ${address}: ${reason}`;
}

/** Words that `command` prints. Rejects when it fails, says too much or takes too long. */
function printedBy(command: string): Promise<string[]> {
  return new Promise((resolve, reject) => {
    const limits = { timeout: execTimeoutMs, maxBuffer: execOutputBytesMax };
    execFile("/bin/sh", ["-c", command], limits, (failure, stdout, stderr) => {
      const said = stderr.trim().split("\n").at(-1) ?? "";
      if (failure?.killed) return reject(new Error(`killed after ${execTimeoutMs / 1_000}s`));
      if (failure) return reject(new Error(`exit status ${failure.code ?? "unknown"}: ${said}`));
      resolve(stdout.split(/[\s,]+/).filter((word) => word !== ""));
    });
  });
}
