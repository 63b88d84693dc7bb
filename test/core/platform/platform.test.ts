// The platform port in a Node process, in memory and on files, and under simulated time: one contract.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Timers } from "../../../src/ports/timers.ts";
import { ObjectHost } from "../../../durable/platform/host/object-host.ts";
import {
  FileStores,
  MemoryStores,
  objectId,
  type Stores,
} from "../../../durable/platform/node/stores.ts";
import {
  type ObjectAddress,
  noOperatorFiles,
  noOutside,
} from "../../../durable/platform/platform.ts";
import { platformContract, Probe, type ProbeHost } from "../../contract/platform.ts";
import { SimDisk } from "../../sim/hosts/disk.ts";
import { EventQueue } from "../../sim/event-queue.ts";
import { settled, VirtualTime } from "../../support/virtual-time.ts";

const address: ObjectAddress = { kind: "server", name: "dc1/server/0" };
const callTimeoutMs = 5_000;
const alarmRetryMs = 2_000;

type OpenStore = ConstructorParameters<typeof ObjectHost>[0]["openStore"];

function probeHost(openStore: OpenStore, stop: () => void): ProbeHost {
  const time = new VirtualTime();
  const timers: Timers = time.timers;
  const host = new ObjectHost({
    timers,
    soon: (run) => void timers.set(run, 0),
    nowMs: time.nowMs,
    random: () => 0.5,
    openStore,
    build: (_address, platform) => new Probe(platform),
    outside: noOutside,
    operatorFiles: noOperatorFiles,
    post: () => Promise.reject(new Error("there is no network")),
    dial: () => Promise.reject(new Error("there is no network")),
    idOf: (of) => objectId("proconsul", of),
    log: () => undefined,
  });
  return {
    call: (path, body = "") => host.call(address, path, body, callTimeoutMs),
    connect: (pathAndQuery) => host.connect(address, pathAndQuery),
    forget: async () => {
      await settled();
      host.forget(address);
    },
    fireAlarm: () => time.pass(alarmRetryMs),
    pass: (durationMs) => time.pass(durationMs),
    stop: () => {
      host.stop();
      stop();
      return Promise.resolve();
    },
  };
}

function onStores(stores: Stores, stop: () => void): ProbeHost {
  return probeHost((of) => stores.open(of), stop);
}

platformContract("Node, nothing kept", () =>
  Promise.resolve(onStores(new MemoryStores(), () => undefined)),
);

platformContract("Node, files", () => {
  const directory = mkdtempSync(join(tmpdir(), "proconsul-platform-"));
  const stores = new FileStores(directory, "proconsul");
  return Promise.resolve(
    onStores(stores, () => {
      stores.close();
      rmSync(directory, { recursive: true });
    }),
  );
});

platformContract("a simulated disk", () => {
  const disk = new SimDisk(new EventQueue(), () => 0);
  return Promise.resolve(
    probeHost(
      (of) => disk.open(of),
      () => disk.close(),
    ),
  );
});
