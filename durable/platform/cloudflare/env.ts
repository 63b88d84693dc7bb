// What the Worker and its objects find in `env` on Cloudflare, workerd and Miniflare. Written by hand: `wrangler types`
// gives literal types, but these values are a deployer's choice.

import type { Settings } from "../settings.ts";

export interface Env extends Settings {
  SERVER: DurableObjectNamespace;
  LAN_POOL: DurableObjectNamespace;
  EDGE_AGENT: DurableObjectNamespace;
  CHECKER: DurableObjectNamespace;
  /** The web UI, among other static files; absent where `npm run deploy` did not put them there. */
  ASSETS?: Fetcher;
}
