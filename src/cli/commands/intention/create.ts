// `intention create`: one intention from arguments, or those in files.

import { type Call, command, Failure, failing, messageOf } from "../../command.ts";
import { dataFrom } from "../../data.ts";
import { type FlagTable, mapFlag, switchFlag } from "../../flags.ts";
import { decodeIntention } from "./files.ts";
import {
  findByPair,
  type Intention,
  intentionPath,
  intentionText,
  type Target,
  targetFrom,
  targetText,
} from "./targets.ts";

const flags = {
  allow: switchFlag("The connection is allowed, as it is by default."),
  deny: switchFlag("The connection is denied."),
  file: switchFlag("Arguments are files that each hold an intention as JSON."),
  meta: mapFlag("Metadata as key=value. May be given several times."),
  replace: switchFlag("Put it in the place of one that has the same source and destination."),
} satisfies FlagTable;

export default command({
  usage: ["intention create [options] SRC DST", "intention create [options] -file FILE..."],
  about: `
Creates intentions: one from a source to a destination, or those in files.

    $ consul intention create web db

    $ consul intention create -deny web db

    $ consul intention create -file one.json two.json`,
  asks: "servers",
  flags,
  async run(call) {
    for (const intention of await intentionsFrom(call)) {
      if (call.flags.replace && (await replaced(call, intention))) continue;
      await call.api
        .post("/v1/connect/intentions", { body: intention })
        .catch(failing(`Error creating intention "${intentionText(intention)}"`));
      call.print(`Created: ${intentionText(intention)}`);
    }
  },
});

async function intentionsFrom(call: Call<typeof flags>): Promise<Intention[]> {
  const { args, around, flags: options } = call;
  if (options.allow && options.deny) {
    throw new Failure("Only one of -allow or -deny may be specified.");
  }
  if (options.file) {
    const intentions: Intention[] = [];
    for (const name of args) {
      const data = await dataFrom(`@${name}`, around).catch(fileProblem);
      intentions.push(decodeIntention(data.toString()));
    }
    return intentions;
  }
  const [source, destination, ...more] = args;
  if (source === undefined || destination === undefined || more.length > 0) {
    throw new Failure("Error: Must specify two arguments: source and destination");
  }
  const [from, to] = [target("source", source), target("destination", destination)];
  const intention = {
    SourceNS: from.namespace,
    SourceName: from.name,
    DestinationNS: to.namespace,
    DestinationName: to.name,
    SourceType: "consul",
    Action: options.deny ? "deny" : "allow",
    Meta: options.meta,
  };
  return [intention as unknown as Intention];
}

function fileProblem(failure: unknown): never {
  throw new Failure(`Error: ${messageOf(failure).replace(/^Failed to read file: /, "")}`);
}

function target(what: string, text: string): Target {
  try {
    return targetFrom(text);
  } catch (failure) {
    throw new Failure(`Error: Invalid intention ${what}: ${messageOf(failure)}`);
  }
}

/** Whether there was one to replace. */
async function replaced({ api }: Call<typeof flags>, intention: Intention): Promise<boolean> {
  const source = targetText(intention.SourceNS, intention.SourceName);
  const destination = targetText(intention.DestinationNS, intention.DestinationName);
  const old = await findByPair(api, source, destination).catch(
    failing(
      "Error looking up intention for replacement with source " +
        `"${source}" and destination "${destination}"`,
    ),
  );
  if (!old) return false;
  const context = `Error replacing intention with source "${source}" and destination "${destination}"`;
  await api.put(intentionPath(old.ID), { body: intention }).catch(failing(context));
  return true;
}
