// `proconsul agent`: runs an agent in the foreground. It reads its own flags, which are those of the configuration.

import { flags } from "../../agent/config/flag-table.ts";
import { agentHelp } from "../../agent/config/flags.ts";
import { runAgent } from "../../agent/main.ts";
import type { Command } from "../command.ts";

const agent: Command = {
  help: agentHelp(),
  flags: Object.fromEntries(
    Object.entries(flags).map(([name, { kind }]) => [name, { isSwitch: kind === "flag" }]),
  ),
  run: runAgent,
};
export default agent;
