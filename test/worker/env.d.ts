// Types what `cloudflare:workers` hands to the tests.

import type { Env as WorkerEnv } from "../../durable/platform/cloudflare/env.ts";
import type * as main from "../../src/index.ts";

declare global {
  namespace Cloudflare {
    interface Env extends WorkerEnv {}
    interface GlobalProps {
      mainModule: typeof main;
      durableNamespaces: "Server" | "LanPool" | "EdgeAgent" | "Checker";
    }
  }
}
