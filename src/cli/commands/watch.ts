// `watch`: prints a view of the datacenter once, or starts a program each time it changes.

import { setTimeout as sleep } from "node:timers/promises";

import { type Answer, ResponseError } from "../api.ts";
import { misused } from "../arguments.ts";
import { startChild } from "../child.ts";
import { type Call, command, Failure, failing, messageOf } from "../command.ts";
import { type FlagTable, listFlag, parseBoolean, switchFlag, textFlag } from "../flags.ts";
import { indentedJson } from "../json.ts";
import { viewFrom, type View, WatchError } from "../../agent/watches/views.ts";

const flags = {
  key: textFlag("The key to watch, for type key."),
  name: textFlag("Only events of this name, for type event."),
  passingonly: textFlag(
    "Only instances whose checks all pass, for type service: true or false.",
    "",
    "[true|false]",
  ),
  prefix: textFlag("What names begin with, for type keyprefix."),
  service: textFlag("The service, for types service and checks."),
  shell: switchFlag("Start the program by a shell, that of SHELL if it is set.", true),
  state: textFlag("The state of checks, for type checks."),
  tag: listFlag("A tag that instances must have, for type service. May be given several times."),
  type: textFlag("What to watch: key, keyprefix, services, nodes, service, checks or event."),
} satisfies FlagTable;

const retryMs = 5_000;
const retryMaxMs = 180_000;

export default command({
  usage: ["watch [options] [child...]"],
  about: `
Watches a view of the datacenter. With a program it starts that for every change, with the view as
JSON at its stdin and the index in CONSUL_INDEX. Without one it prints the view and ends.`,
  asks: "servers",
  flags,
  async run(call) {
    const view = viewOf(call);
    await call.api.get("/v1/agent/self").catch(failing("Error querying Consul agent"));
    if (call.args.length === 0) {
      const answer = await asked(call, view, "0", new AbortController().signal);
      if (answer) call.print(indentedJson(view.data(answer), "    "));
      return;
    }
    await follow(call, view, call.around.interrupted());
  },
});

function viewOf(call: Call<typeof flags>): View {
  const { type, key, name, passingonly, prefix, service, state, tag } = call.flags;
  if (type === "") throw misused(call, "Watch type must be specified");
  const passing = passingonly === "" ? false : parseBoolean(passingonly);
  if (passing === null) {
    const problem = `strconv.ParseBool: parsing ${JSON.stringify(passingonly)}: invalid syntax`;
    throw new Failure(`Failed to parse passingonly flag: ${problem}`);
  }
  return made(type, {
    ...(key !== "" && { key }),
    ...(name !== "" && { name }),
    ...(passingonly !== "" && { passingonly: String(passing) }),
    ...(prefix !== "" && { prefix }),
    ...(service !== "" && { service }),
    ...(state !== "" && { state }),
    ...(tag.length > 0 && { tag }),
  });
}

function made(type: string, parameters: Parameters<typeof viewFrom>[1]): View {
  try {
    return viewFrom(type, parameters);
  } catch (failure) {
    if (!(failure instanceof WatchError)) throw failure;
    throw new Failure(failure.message);
  }
}

/** Null when it was interrupted. */
async function asked(
  { api, complain, flags: { type } }: Call<typeof flags>,
  view: View,
  index: string,
  signal: AbortSignal,
): Promise<Answer | null> {
  for (let failures = 1; !signal.aborted; failures++) {
    try {
      const query = { ...view.query, ...(index !== "0" && { index }) };
      return await api.get(view.path, { query, signal, accept: view.mayBeAbsent ? [404] : [] });
    } catch (failure) {
      if (signal.aborted) break;
      if (failure instanceof ResponseError && failure.status < 500) failing("Error")(failure);
      const waitMs = Math.min(retryMs * failures ** 2, retryMaxMs);
      const retry = `retry in ${waitMs / 1_000}s`;
      complain(`Watch (type: ${type}) errored: ${messageOf(failure)}, ${retry}`);
      await sleep(waitMs, undefined, { signal }).catch(() => undefined);
    }
  }
  return null;
}

async function follow(call: Call<typeof flags>, view: View, signal: AbortSignal): Promise<void> {
  const { args, around, flags: given } = call;
  let index = "0";
  let last: string | null = null;
  while (!signal.aborted) {
    const answer = await asked(call, view, index, signal);
    if (answer === null) return;
    const next = answer.header("X-Consul-Index") ?? "0";
    // An index that went back belongs to another past: whatever is there is news.
    index = BigInt(next) < BigInt(index) ? "0" : next;
    const text = indentedJson(view.data(answer), "");
    if (text === last) continue;
    last = text;
    const environment = { ...around.environment, CONSUL_INDEX: next };
    const child = startChild(args, { shell: given.shell, environment, input: `${text}\n` });
    signal.addEventListener("abort", () => child.process.kill("SIGTERM"), { once: true });
    const end = await child.ended.catch(failing("Error starting handler"));
    if (end !== null && !signal.aborted) throw new Failure(`Error executing handler: ${end}`);
  }
}
