// The worker that asks for all tabs: shared by them where browsers allow it, else one for each tab.

import { get } from "./http.ts";
import type { ToPage, ToWorker } from "./port.ts";
import { Scheduler } from "./scheduler.ts";
import { silentMs, Tab } from "./tab.ts";

const isShared = "SharedWorkerGlobalScope" in globalThis;

const scheduler = new Scheduler({
  get,
  nowMs: () => Date.now(),
  after: (ms, then) => {
    const timer = setTimeout(then, ms);
    return () => clearTimeout(timer);
  },
  random: () => Math.random(),
  waitsMax: isShared ? 4 : 2,
});

if (isShared) {
  const tabs = new Map<MessagePort, Tab>();
  addEventListener("connect", (event) => {
    const [port] = (event as MessageEvent).ports;
    if (!port) return;
    const tab = new Tab(scheduler, (message) => port.postMessage(message));
    tabs.set(port, tab);
    port.addEventListener("message", ({ data }: MessageEvent<ToWorker>) => {
      // A page that comes back out of the browser's memory speaks at the port that it left.
      if (data.kind === "bye") tabs.delete(port);
      else tabs.set(port, tab);
      tab.hear(data, Date.now());
    });
    port.start();
    letGoOfSilent(tabs);
  });
} else {
  const tab = new Tab(scheduler, (message: ToPage) => postMessage(message));
  addEventListener("message", ({ data }: MessageEvent<ToWorker>) => tab.hear(data, Date.now()));
}

/** Called whenever there is one tab more, so that the number of those that are gone stays small. */
function letGoOfSilent(tabs: Map<MessagePort, Tab>): void {
  const sinceMs = Date.now() - silentMs;
  for (const [port, tab] of tabs) {
    if (tab.heardMs === 0 || tab.heardMs > sinceMs) continue;
    tab.letGo();
    port.close();
    tabs.delete(port);
  }
}
