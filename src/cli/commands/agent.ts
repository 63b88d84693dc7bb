// `proconsul agent`: runs an agent in the foreground.

import { runAgent } from "../../agent/main.ts";
import type { Command } from "../command.ts";

export const agent: Command = { name: "agent", synopsis: "Runs a Consul agent", run: runAgent };
