// What one resolution may use besides the question: settings, randomness and time, all given by its host.

import type { Random } from "../lib/random.ts";
import type { DnsSettings } from "./settings.ts";

export interface ResolveContext {
  settings: DnsSettings;
  random: Random;
  /** Becomes the SOA's serial. */
  nowSeconds: number;
  /** The client speaks EDNS: it can take more. */
  edns: boolean;
  /** Address of the client, or of its subnet where a resolver asks for it; "" when it is not known. */
  clientAddress: string;
}
