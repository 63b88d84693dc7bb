// `/v1/operator/keyring`: the keys by which agents of a datacenter know each other. Every node answers for itself, and
// what one of them cannot do is reported node by node, as Consul reports it.

import { firstBadBase64 } from "../core/model/decode.ts";
import { ServiceError } from "../core/model/errors.ts";
import { encodeJson } from "../core/model/json.ts";
import type { KeyCommand, Keyring, KeyringNode, LocalAgent } from "../ports/local-agent.ts";
import { asBadRequest } from "./errors.ts";
import { empty, json, type Reply } from "./reply.ts";
import { parseBoolean, type ApiRequest } from "./request.ts";
import type { AreaOf } from "./openapi/operation.ts";
import { bodySchema, type keyringRoutes } from "./openapi/routes/keyring.ts";

const relayFactorMax = 5;

export function keyringArea(agent: LocalAgent): AreaOf<typeof keyringRoutes> {
  return {
    "/v1/operator/keyring": {
      GET: (request) => listed(agent, request),
      POST: (request) => changed(agent, request, "install"),
      PUT: (request) => changed(agent, request, "use"),
      DELETE: (request) => changed(agent, request, "remove"),
    },
  };
}

async function listed(agent: LocalAgent, request: ApiRequest): Promise<Reply> {
  const isLocal = options(request);
  const keyring = await agent.keyring("read", { do: "list" });
  const pools = poolsOf(keyring).filter(({ isWan }) => !(isWan && isLocal));
  refuseFailures(pools);
  return json(
    encodeJson(
      pools.map(({ isWan, nodes }) => ({
        WAN: isWan,
        Datacenter: keyring.datacenter,
        Segment: "",
        Keys: counted(nodes, ({ keys }) => keys),
        PrimaryKeys: counted(nodes, ({ primary }) => [primary]),
        NumNodes: nodes.length,
      })),
    ),
  );
}

/** How many nodes have each key. */
function counted(
  nodes: readonly KeyringNode[],
  keysOf: (keys: { primary: string; keys: readonly string[] }) => readonly string[],
): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { answer } of nodes) {
    if (!answer || "problem" in answer) continue;
    for (const key of keysOf(answer)) counts[key] = (counts[key] ?? 0) + 1;
  }
  return counts;
}

async function changed(
  agent: LocalAgent,
  request: ApiRequest,
  action: "install" | "use" | "remove",
): Promise<Reply> {
  const decoded = request.decode(bodySchema, "refuse-plainly", "Request decode failed: ");
  const { Key: key } = (await asBadRequest(decoded)) as { Key: string };
  if (options(request)) {
    const text = "Invalid use of local-only: local-only can only be set for list requests";
    throw new ServiceError("bad-request", text);
  }
  const bad = firstBadBase64(key);
  const command: KeyCommand = bad === null ? { do: action, key } : { do: "list" };
  const pools = poolsOf(await agent.keyring("write", command));
  if (bad !== null) {
    const text = `illegal base64 data at input byte ${bad}`;
    throw severalErrors(pools.map(({ name }) => `${name} error: ${text}`));
  }
  refuseFailures(pools);
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
  nodes: readonly KeyringNode[];
}

function poolsOf({ datacenter, nodes }: Keyring): Pool[] {
  const servers = nodes.filter(({ isServer }) => isServer);
  const inWan = servers.map((node) => ({ ...node, name: `${node.name}.${datacenter}` }));
  return [
    { name: "WAN", isWan: true, nodes: inWan },
    { name: `${datacenter} (LAN)`, isWan: false, nodes },
  ];
}

/** Throws ServiceError for nodes that could not do it, or did not answer. */
function refuseFailures(pools: readonly Pool[]): void {
  const errors = pools.flatMap(({ name, nodes }) => {
    const answered = nodes.filter(({ answer }) => answer !== null).length;
    const problems = nodes.flatMap(({ name: node, answer }) =>
      answer && "problem" in answer ? [`${node}: ${answer.problem}`] : [],
    );
    const total = nodes.length;
    if (problems.length > 0)
      return [`${name} error: ${problems.length}/${total} nodes reported failure`, ...problems];
    return answered < total ? [`${name} error: ${answered}/${total} nodes reported success`] : [];
  });
  if (errors.length > 0) throw severalErrors(errors);
}

function severalErrors(errors: readonly string[]): ServiceError {
  const head = errors.length === 1 ? "1 error" : `${errors.length} errors`;
  const lines = errors.map((error) => `\t* ${error}\n`).join("");
  return new ServiceError("invalid", `${head} occurred:\n${lines}\n`);
}
