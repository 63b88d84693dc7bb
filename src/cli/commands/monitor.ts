// `monitor`: the agent's log as it is written.

import { command, failing } from "../command.ts";
import { switchFlag, textFlag } from "../flags.ts";

export default command({
  usage: ["monitor [options]"],
  about: `
Prints the agent's log as it is written, from a level that may be lower than its own, until it is
interrupted.`,
  asks: "agent",
  flags: {
    "log-json": switchFlag("One JSON object for each line."),
    "log-level": textFlag("The lowest level to print.", "INFO"),
  },
  async run({ api, around, flags: given }) {
    const signal = around.interrupted();
    const query = {
      loglevel: given["log-level"],
      ...(given["log-json"] && { logjson: "true" }),
    };
    const response = await api
      .stream("GET", "/v1/agent/monitor", { query, signal })
      .catch(failing("Error starting monitor"));
    try {
      for await (const chunk of response.body) around.out(chunk);
    } catch (failure) {
      if (!signal.aborted) failing("Error reading the log")(failure);
    }
  },
});
