// `proconsul leave`: makes the local agent leave the datacenter and end.

import { type Command, complain, print } from "../command.ts";
import { clientFrom, UsageError } from "../http-flags.ts";

const usage = `Usage: proconsul leave [options]

  Causes the agent to gracefully leave the datacenter and end.

  -http-addr=<address>   Agent to ask; CONSUL_HTTP_ADDR; 127.0.0.1:8500.
  -token=<value>         Token to show; CONSUL_HTTP_TOKEN.
  -token-file=<value>    File that holds the token; CONSUL_HTTP_TOKEN_FILE.`;

async function run(args: readonly string[]): Promise<number> {
  if (args.some((argument) => /^--?h(elp)?$/.test(argument))) {
    print(usage);
    return 0;
  }
  try {
    await clientFrom(args, process.env).leave();
    print("Graceful leave complete");
    return 0;
  } catch (failure) {
    if (failure instanceof UsageError) complain(`${failure.message}\n${usage}`);
    else complain(`Error leaving: ${(failure as Error).message}`);
    return 1;
  }
}

export const leave: Command = {
  name: "leave",
  synopsis: "Gracefully leaves the Consul cluster and shuts down",
  run,
};
