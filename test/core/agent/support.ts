import { decodeCheck, decodeService } from "../../../src/core/agent/decode.ts";
import type { RegisterOptions } from "../../../src/core/agent/local-state.ts";
import { LocalAgentState } from "../../../src/core/agent/local-state.ts";
import type { AgentSettings } from "../../../src/core/agent/node.ts";
import { validateCheck, validateService } from "../../../src/core/agent/validate.ts";
import { seededRandom } from "../../../src/core/lib/random.ts";

export const startMs = 1_000_000;

export const testNode = {
  id: "6e9810db-b4a6-bc65-ddbe-45a498270557",
  name: "host1",
  datacenter: "dc1",
  address: "10.0.0.1",
  taggedAddresses: { lan: "10.0.0.1", wan: "10.0.0.1" },
  meta: { "consul-network-segment": "" },
};

/** An agent with Consul's defaults, whose clock starts at {@link startMs}. */
export function newState(settings: Partial<AgentSettings> = {}): LocalAgentState {
  const defaults: AgentSettings = {
    checkUpdateIntervalMs: 300_000,
    outputBytesMax: 4096,
    discardCheckOutput: false,
    scripts: { fromFile: false, fromApi: false },
    sidecarPorts: { min: 21_000, max: 21_255 },
    random: seededRandom(7),
  };
  return new LocalAgentState(testNode, { ...defaults, ...settings }, startMs);
}

/** Registers as `PUT /v1/agent/service/register` does. */
export function putService(
  state: LocalAgentState,
  body: object,
  options: Partial<RegisterOptions> = {},
): void {
  const definition = decodeService(JSON.stringify(body));
  validateService(definition);
  state.registerService(definition, { origin: "api", nowMs: startMs, ...options });
}

/** Registers as `PUT /v1/agent/check/register` does. */
export function putCheck(
  state: LocalAgentState,
  body: object,
  options: Partial<RegisterOptions> = {},
): void {
  const definition = decodeCheck(JSON.stringify(body));
  validateCheck(definition);
  state.registerCheck(definition, { origin: "api", nowMs: startMs, ...options });
}

export function checkOf(state: LocalAgentState, id: string): { status: string; output: string } {
  const check = state.rows.checks.get(id)?.check;
  return { status: check?.Status ?? "none", output: check?.Output ?? "none" };
}
