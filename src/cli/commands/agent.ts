// `proconsul agent`: runs an agent in the foreground. It reads its own flags, which are those of the configuration.

import { agentHelp } from "../../agent/config/flags.ts";
import { runAgent } from "../../agent/main.ts";
import type { Command } from "../command.ts";

const agent: Command = { help: agentHelp(), run: runAgent };
export default agent;
