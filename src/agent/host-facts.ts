// `/v1/agent/host`: what this machine is, in the shape that Consul takes from its system library.

import { statfs } from "node:fs/promises";
import {
  arch,
  cpus,
  freemem,
  hostname,
  loadavg,
  platform,
  release,
  totalmem,
  uptime,
} from "node:os";

import type { JsonValue } from "../core/model/json.ts";

export async function hostFacts(dataDir: string): Promise<JsonValue> {
  const total = totalmem();
  const free = freemem();
  return {
    Memory: {
      total,
      available: free,
      used: total - free,
      usedPercent: ((total - free) / total) * 100,
      free,
    },
    CPU: cpus().map(({ model, speed }, cpu) => ({ cpu, modelName: model, mhz: speed })),
    Host: {
      hostname: hostname(),
      uptime: Math.floor(uptime()),
      bootTime: Math.floor(Date.now() / 1_000 - uptime()),
      os: platform(),
      kernelVersion: release(),
      kernelArch: arch(),
      loadAverage: loadavg(),
    },
    Disk: await diskFacts(dataDir === "" ? "/" : dataDir),
    CollectionTime: Date.now() * 1e6,
    Errors: null,
  };
}

async function diskFacts(path: string): Promise<JsonValue> {
  const { bsize, blocks, bavail, bfree, type } = await statfs(path);
  const used = (blocks - bfree) * bsize;
  return {
    path,
    fstype: `0x${type.toString(16)}`,
    total: blocks * bsize,
    free: bavail * bsize,
    used,
    usedPercent: blocks === 0 ? 0 : (used / (blocks * bsize)) * 100,
  };
}
