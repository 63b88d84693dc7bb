// What the host itself writes, an object's alarm, may find the disk full as well: the alarm comes later, and whoever
// opens a socket meanwhile is refused, not answered by an exception that would end the process.

import { expect, test } from "vitest";
import { type ObjectStore, ObjectHost } from "../../../durable/platform/host/object-host.ts";
import { MemoryStores } from "../../../durable/platform/node/stores.ts";
import {
  type HostedObject,
  type ObjectAddress,
  type Platform,
  noOperatorFiles,
  noOutside,
} from "../../../durable/platform/platform.ts";
import { VirtualTime } from "../../support/virtual-time.ts";

const address: ObjectAddress = { kind: "server", name: "dc1/server/0" };

interface Hosted {
  host: ObjectHost;
  time: VirtualTime;
  disk: { full: boolean };
  happened: string[];
  lines: string[];
}

/** One object that counts its alarms; it writes while it is constructed. */
function hosted(): Hosted {
  const time = new VirtualTime();
  const disk = { full: false };
  const happened: string[] = [];
  const lines: string[] = [];
  const stores = new MemoryStores();
  const build = (_address: ObjectAddress, platform: Platform): HostedObject => {
    if (disk.full) platform.abort("database or disk is full");
    return {
      woke: () => undefined,
      call: (_path: string, body: Uint8Array) => {
        platform.setAlarm(Number(new TextDecoder().decode(body)));
        return Promise.resolve({ status: 204, body: "" });
      },
      connect: () => ({ tag: "t", attachment: null }),
      opened: () => void happened.push("opened"),
      message: () => undefined,
      closed: () => undefined,
      alarm: () => Promise.resolve(void happened.push("alarm")),
    };
  };
  const host = new ObjectHost({
    timers: time.timers,
    soon: (run) => void time.timers.set(run, 0),
    nowMs: time.nowMs,
    random: () => 0.5,
    openStore: () => onDisk(stores.open(), disk),
    build,
    outside: noOutside,
    operatorFiles: noOperatorFiles,
    post: () => Promise.reject(new Error("there is no network")),
    dial: () => Promise.reject(new Error("there is no network")),
    idOf: ({ name }) => name,
    log: (_level, line) => void lines.push(line),
  });
  return { host, time, disk, happened, lines };
}

function onDisk(store: ObjectStore, disk: { full: boolean }): ObjectStore {
  return {
    ...store,
    saveAlarm: (atMs) => {
      if (disk.full) throw new Error("database or disk is full");
      store.saveAlarm(atMs);
    },
  };
}

test("an alarm that cannot be written off is rung once there is room", async () => {
  const { host, time, disk, happened, lines } = hosted();
  await host.handle(address, "/arm", String(time.nowMs() + 1_000));
  disk.full = true;
  await time.pass(60_000);
  expect(happened).toEqual([]);
  expect(lines[0]).toMatch(/disk is full/);
  disk.full = false;
  await time.pass(5_000);
  expect(happened).toEqual(["alarm"]);
  host.stop();
});

test("an alarm that an object cannot set ends that instance of it", async () => {
  const { host, time, disk, lines } = hosted();
  await host.handle(address, "/arm", String(time.nowMs() + 60_000));
  disk.full = true;
  await expect(host.handle(address, "/arm", "0")).rejects.toThrow(/disk is full/);
  expect(lines).toEqual([expect.stringMatching(/was reset: .*disk is full/)]);
  disk.full = false;
  await expect(host.handle(address, "/arm", "0")).rejects.toThrow(/rests/);
  await time.pass(5_000);
  expect((await host.handle(address, "/arm", "0")).status).toBe(204);
  host.stop();
});

test("a socket to an object that cannot be constructed is refused", () => {
  const { host, disk, happened } = hosted();
  const carrier = { send: () => undefined, close: () => undefined };
  disk.full = true;
  expect(host.open(address, "/link", carrier)).toMatchObject({ status: 503 });
  disk.full = false;
  expect(host.open(address, "/link", carrier)).not.toHaveProperty("status");
  expect(happened).toEqual(["opened"]);
  host.stop();
});
