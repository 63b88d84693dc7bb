// `/v1/operator/keyring`: the key by which agents of a datacenter know each other. There is one, from their
// configuration; what would need another one on every agent is refused, node by node, as Consul reports it.

import { firstBadBase64 } from "../core/model/decode.ts";
import { ServiceError } from "../core/model/errors.ts";
import { encodeJson } from "../core/model/json.ts";
import type { Keyring, LocalAgent } from "../ports/local-agent.ts";
import { asBadRequest } from "./errors.ts";
import { empty, json, type Reply } from "./reply.ts";
import { parseBoolean, type ApiRequest } from "./request.ts";
import type { AreaOf } from "./openapi/operation.ts";
import { bodySchema, type keyringRoutes } from "./openapi/routes/keyring.ts";

const relayFactorMax = 5;
const keyLengths = new Set([16, 24, 32]);

export function keyringArea(agent: LocalAgent): AreaOf<typeof keyringRoutes> {
  return {
    "/v1/operator/keyring": {
      GET: (request) => listed(agent, request),
      POST: (request) => changed(agent, request, installing),
      PUT: (request) => changed(agent, request, using),
      DELETE: (request) => changed(agent, request, removing),
    },
  };
}

/** Why a node cannot do that with `key`; null when it has nothing to do. */
type Problem = (key: string, known: string) => string | null;

const noKeys = "Keyring is empty (encryption not enabled)";
const noKeyring = "No keyring to modify (encryption not enabled)";
const onlyByConfiguration =
  "Another key is taken only from the configuration: set `encrypt` on every agent, and start them anew";

const installing: Problem = (key, known) => {
  if (known === "") return noKeyring;
  if (!keyLengths.has(byteLength(key))) return "key size must be 16, 24 or 32 bytes";
  return key === known ? null : onlyByConfiguration;
};

const using: Problem = (key, known) => {
  if (known === "") return noKeyring;
  return key === known ? null : "Requested key is not in the keyring";
};

const removing: Problem = (key, known) => {
  if (known === "") return noKeyring;
  return key === known ? "Removing the primary key is not allowed" : null;
};

async function listed(agent: LocalAgent, request: ApiRequest): Promise<Reply> {
  const isLocal = options(request);
  const keyring = await agent.keyring("read");
  const pools = poolsOf(keyring).filter(({ isWan }) => !(isWan && isLocal));
  if (keyring.key === "") throw failures(pools, () => noKeys);
  return json(
    encodeJson(
      pools.map(({ isWan, nodes }) => ({
        WAN: isWan,
        Datacenter: keyring.datacenter,
        Segment: "",
        Keys: { [keyring.key]: nodes.length },
        PrimaryKeys: { [keyring.key]: nodes.length },
        NumNodes: nodes.length,
      })),
    ),
  );
}

async function changed(agent: LocalAgent, request: ApiRequest, problem: Problem): Promise<Reply> {
  const decoded = request.decode(bodySchema, "refuse-plainly", "Request decode failed: ");
  const { Key: key } = (await asBadRequest(decoded)) as { Key: string };
  if (options(request)) {
    const text = "Invalid use of local-only: local-only can only be set for list requests";
    throw new ServiceError("bad-request", text);
  }
  const keyring = await agent.keyring("write");
  const pools = poolsOf(keyring);
  const bad = firstBadBase64(key);
  if (bad !== null) {
    const text = `illegal base64 data at input byte ${bad}`;
    throw severalErrors(pools.map(({ name }) => `${name} error: ${text}`));
  }
  const found = problem(key, keyring.key);
  if (found !== null) throw failures(pools, () => found);
  return empty();
}

/** Whether only the agent's own datacenter is meant. Throws ServiceError, in Consul's order. */
function options({ query }: ApiRequest): boolean {
  const given = query.get("relay-factor");
  if (given !== "") {
    const factor = Number(given);
    if (!/^[+-]?\d+$/.test(given)) {
      const quoted = JSON.stringify(given);
      const text = `Error parsing relay factor: strconv.Atoi: parsing ${quoted}: invalid syntax`;
      throw new ServiceError("bad-request", text);
    }
    if (factor < 0 || factor > relayFactorMax) {
      const text = `Invalid relay-factor: Relay factor must be in range: [0, ${relayFactorMax}]`;
      throw new ServiceError("bad-request", text);
    }
  }
  const local = query.get("local-only");
  if (local === "") return false;
  const isLocal = parseBoolean(local);
  if (isLocal !== undefined) return isLocal;
  const quoted = JSON.stringify(local);
  const text = `Error parsing local-only: strconv.ParseBool: parsing ${quoted}: invalid syntax`;
  throw new ServiceError("bad-request", text);
}

interface Pool {
  name: string;
  isWan: boolean;
  nodes: readonly string[];
}

function poolsOf({ datacenter, servers, members }: Keyring): Pool[] {
  return [
    { name: "WAN", isWan: true, nodes: servers.map((name) => `${name}.${datacenter}`) },
    { name: `${datacenter} (LAN)`, isWan: false, nodes: members },
  ];
}

function failures(pools: readonly Pool[], why: (node: string) => string): ServiceError {
  return severalErrors(
    pools.flatMap(({ name, nodes }) => [
      `${name} error: ${nodes.length}/${nodes.length} nodes reported failure`,
      ...nodes.map((node) => `${node}: ${why(node)}`),
    ]),
  );
}

function severalErrors(errors: readonly string[]): ServiceError {
  const head = errors.length === 1 ? "1 error" : `${errors.length} errors`;
  const lines = errors.map((error) => `\t* ${error}\n`).join("");
  return new ServiceError("invalid", `${head} occurred:\n${lines}\n`);
}

/** Of what base64 text stands for. */
function byteLength(base64: string): number {
  return (base64.replace(/=+$/, "").length * 3) >> 2;
}
