// `operator autopilot get-config`: by what rules dead servers are replaced.

import { command } from "../../../command.ts";
import { configurationOf } from "./configuration.ts";

export default command({
  usage: ["operator autopilot get-config [options]"],
  about: "Prints the configuration of autopilot.",
  asks: "servers",
  flags: {},
  async run({ api, print }) {
    const now = await configurationOf(api);
    print(`CleanupDeadServers = ${now.CleanupDeadServers}`);
    print(`LastContactThreshold = ${now.LastContactThreshold}`);
    print(`MaxTrailingLogs = ${now.MaxTrailingLogs}`);
    print(`MinQuorum = ${now.MinQuorum}`);
    print(`ServerStabilizationTime = ${now.ServerStabilizationTime}`);
    print(`RedundancyZoneTag = ${JSON.stringify(now.RedundancyZoneTag)}`);
    print(`DisableUpgradeMigration = ${now.DisableUpgradeMigration}`);
    print(`UpgradeVersionTag = ${JSON.stringify(now.UpgradeVersionTag)}`);
  },
});
