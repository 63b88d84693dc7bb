// `keyring`: the keys of gossip.

import { sortedKeys } from "../../core/model/json.ts";
import { type Call, command, Failure, messageOf } from "../command.ts";
import { type FlagTable, intFlag, switchFlag, textFlag } from "../flags.ts";

const flags = {
  install: textFlag("Install this key on every member."),
  list: switchFlag("List the keys that are installed."),
  "list-primary": switchFlag("List the keys that are used to encrypt."),
  "local-only": switchFlag("List those of this datacenter's agents only."),
  "relay-factor": intFlag("Let answers come by this many other nodes, too; at most 5."),
  remove: textFlag("Remove this key, which must not be in use."),
  use: textFlag("Use this key to encrypt, which must be installed."),
} satisfies FlagTable;

const relayFactorMax = 5;

interface Ring {
  WAN: boolean;
  Datacenter: string;
  Segment: string;
  Keys: Record<string, number>;
  PrimaryKeys?: Record<string, number>;
  NumNodes: number;
}

type Method = "get" | "post" | "put" | "delete";

export default command({
  usage: ["keyring [options]"],
  about: `
Lists the keys by which agents encrypt gossip, and changes them on all members. Exits with 1 when any
member fails.`,
  asks: "agent",
  flags,
  async run(call) {
    const { flags: given } = call;
    const { install, list, remove, use } = given;
    const primary = given["list-primary"];
    const actions = [install !== "", list, primary, remove !== "", use !== ""].filter(Boolean);
    if (actions.length === 0) {
      throw new Failure(call.help.trimEnd());
    }
    if (actions.length > 1) throw new Failure("Only a single action is allowed");
    const factor = given["relay-factor"];
    if (factor < 0 || factor > relayFactorMax) {
      const range = `Relay factor must be in range: [0, ${relayFactorMax}]`;
      throw new Failure(`Error parsing relay factor: ${range}`);
    }
    if (given["local-only"] && !list && !primary) {
      const problem = "local-only can only be set for list requests";
      throw new Failure(`Error validating local-only: ${problem}`);
    }
    if (list || primary) await printKeys(call);
    else if (install !== "") {
      await change(call, "Installing new gossip encryption key...", "post", install);
    } else if (use !== "") {
      await change(call, "Changing primary gossip encryption key...", "put", use);
    } else await change(call, "Removing gossip encryption key...", "delete", remove);
  },
});

async function printKeys({ api, flags: given, print }: Call<typeof flags>): Promise<void> {
  const primary = given["list-primary"];
  print(`==> Gathering installed ${primary ? "primary " : ""}encryption keys...`);
  const query = {
    ...(given["relay-factor"] > 0 && { "relay-factor": String(given["relay-factor"]) }),
    ...(given["local-only"] && { "local-only": "true" }),
  };
  const answer = await api.get("/v1/operator/keyring", { query }).catch(failed);
  for (const ring of answer.json<Ring[]>()) {
    const segment = ring.Segment === "" ? "" : ` [${ring.Segment}]`;
    print(`\n${ring.WAN ? "WAN" : `${ring.Datacenter} (LAN)${segment}`}:`);
    const keys = primary ? (ring.PrimaryKeys ?? {}) : ring.Keys;
    for (const key of sortedKeys(keys)) print(`  ${key} [${keys[key]}/${ring.NumNodes}]`);
  }
}

async function change(
  { api, flags: given, print }: Call<typeof flags>,
  title: string,
  method: Method,
  key: string,
): Promise<void> {
  print(`==> ${title}`);
  const factor = given["relay-factor"];
  const query = factor > 0 ? { "relay-factor": String(factor) } : {};
  await api[method]("/v1/operator/keyring", { query, body: { Key: key } }).catch(failed);
}

function failed(failure: unknown): never {
  throw new Failure(`error: ${messageOf(failure)}`);
}
