// Runs the Worker on Miniflare, with the same data as `workerd.ts`. Always through a direct socket: Miniflare's own
// entry costs more than the whole request.

import {
  compatibilityDate,
  compatibilityFlags,
  objectClasses,
  type Runner,
  type RunnerOptions,
  workerName,
} from "./options.ts";
import { workerBundle } from "./worker-bundle.ts";

const signals = ["SIGTERM", "SIGINT", "SIGHUP"] as const;

export async function startRunner(options: RunnerOptions): Promise<Runner> {
  const [{ Miniflare }, contents] = await Promise.all([import("miniflare"), workerBundle()]);
  const before = new Map(signals.map((signal) => [signal, new Set(process.listeners(signal))]));
  const miniflare = new Miniflare({
    host: "127.0.0.1",
    port: 0,
    cf: false,
    logRequests: false,
    resourcePersistencePath: options.stateDir,
    workers: [{ config: workerConfig(options, contents), dev: directSocket(options) }],
  } as unknown as ConstructorParameters<typeof Miniflare>[0]);
  // Miniflare would end the process at a signal before the agent could leave in order.
  for (const [signal, known] of before) {
    for (const listener of process.listeners(signal)) {
      if (!known.has(listener)) process.off(signal, listener);
    }
  }
  await miniflare.ready;
  let ended = (): void => undefined;
  const exited = new Promise<void>((resolve) => {
    ended = resolve;
  });
  const { port } = await miniflare.unsafeGetDirectURL(workerName);
  return {
    port: Number(port),
    exited,
    stop: async () => {
      await miniflare.dispose();
      ended();
    },
  };
}

function workerConfig(options: RunnerOptions, contents: string): object {
  const classes = Object.entries(objectClasses);
  const objects = classes.map(([binding, exportName]) => [
    binding,
    { type: "durable-object", worker: workerName, exportName },
  ]);
  const vars = Object.entries(options.vars).map(([name, value]) => [
    name,
    typeof value === "string" ? { type: "text", value } : { type: "json", value },
  ]);
  return {
    name: workerName,
    compatibilityDate,
    compatibilityFlags,
    manifest: {
      mainModule: "worker.js",
      modulesRoot: "/",
      modules: { "worker.js": { type: "esm", contents } },
    },
    env: Object.fromEntries([...objects, ...vars]) as object,
    exports: Object.fromEntries(
      classes.map(([, name]) => [name, { type: "durable-object", storage: "sqlite" }]),
    ),
  };
}

function directSocket({ port }: RunnerOptions): object {
  return { unsafeRegisterWorker: false, unsafeDirectSockets: [{ host: "127.0.0.1", port }] };
}
