// Memory and time of saving and restoring a large state, by hand:
//
//   node test/bench/snapshot.ts [MEGABYTES]
//
// fills one server that keeps its data on disk with keys of 500 KB that cannot be compressed (1,000 MB of them), saves
// it, restores what was saved, and prints how long each took and how far resident memory went beyond what it was
// before.

import { randomBytes } from "node:crypto";
import { createReadStream, createWriteStream, statSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { setTimeout as pause } from "node:timers/promises";

import { workingTree } from "./checkouts.ts";
import { Agent } from "./processes.ts";
import { inDirectory, proconsul } from "./subjects.ts";

const valueBytes = 500_000;
const parallel = 4;
const sampleMs = 100;
const settleMs = 5_000;

const megabytes = Number(process.argv[2] ?? 1_000);

async function fill(url: string): Promise<void> {
  const count = Math.ceil((megabytes * 1e6) / valueBytes);
  let next = 0;
  const write = async (): Promise<void> => {
    while (next < count) {
      const path = `${url}/v1/kv/large/${next++}`;
      const response = await fetch(path, { method: "PUT", body: randomBytes(valueBytes) });
      if ((await response.text()).trim() !== "true") throw new Error("a key was not written");
    }
  };
  await Promise.all(Array.from({ length: parallel }, write));
}

async function measured(what: string, agent: Agent, work: () => Promise<void>): Promise<void> {
  await pause(settleMs);
  const before = agent.residentMegabytes();
  let most = before;
  const timer = setInterval(() => {
    most = Math.max(most, agent.residentMegabytes());
  }, sampleMs);
  const startMs = performance.now();
  await work().finally(() => clearInterval(timer));
  const seconds = ((performance.now() - startMs) / 1_000).toFixed(1);
  const added = Math.round(most - before);
  console.log(`${what}: ${seconds} s, ${Math.round(before)} MB before, at most ${added} MB more`);
}

async function save(url: string, file: string): Promise<void> {
  const { body, status } = await fetch(`${url}/v1/snapshot`);
  if (status !== 200 || !body) throw new Error(`saving was answered ${status}`);
  await pipeline(Readable.fromWeb(body as never), createWriteStream(file));
}

async function restore(url: string, file: string): Promise<void> {
  const init = { method: "PUT", body: Readable.toWeb(createReadStream(file)), duplex: "half" };
  const response = await fetch(`${url}/v1/snapshot`, init as unknown as RequestInit);
  if (response.status !== 200) throw new Error(await response.text());
}

await inDirectory(async (directory) => {
  const agent = new Agent(await proconsul(workingTree()).kept(directory));
  try {
    await agent.ready();
    await measured(`writing ${megabytes} MB`, agent, () => fill(agent.url));
    const file = join(directory, "archive.tgz");
    await measured("saving", agent, () => save(agent.url, file));
    console.log(`the archive has ${Math.round(statSync(file).size / 1e6)} MB`);
    await measured("restoring", agent, () => restore(agent.url, file));
    await measured("saving again", agent, () => save(agent.url, `${file}.2`));
  } finally {
    await agent.stop();
  }
});
