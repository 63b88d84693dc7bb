// `operator autopilot set-config`: changes what flags name, and leaves the rest.

import { formatDuration, parseDuration } from "../../../../core/model/duration.ts";
import { type Call, command, Failure, failing } from "../../../command.ts";
import { type FlagTable, optional, optionalText, parseBoolean } from "../../../flags.ts";
import { type Configuration, configurationOf, configurationPath } from "./configuration.ts";

const enterprise = "A feature of Consul Enterprise.";

const flags = {
  "cleanup-dead-servers": truth("Whether dead servers leave when new ones come: true or false."),
  "disable-upgrade-migration": truth(`Whether upgrades do without migration. ${enterprise}`),
  "last-contact-threshold": duration(
    "200ms",
    "How long a healthy server may be without contact to the leader.",
  ),
  "max-trailing-logs": natural("How many entries a healthy server may be behind the leader."),
  "min-quorum": natural("How many servers must remain when dead ones leave."),
  "redundancy-zone-tag": optionalText(`Metadata that tell zones apart. ${enterprise}`),
  "server-stabilization-time": duration("10s", "How long a new server is healthy before it votes."),
  "upgrade-version-tag": optionalText(`Metadata that tell versions apart. ${enterprise}`),
} satisfies FlagTable;

export default command({
  usage: ["operator autopilot set-config [options]"],
  about: "Changes the configuration of autopilot. What no flag names stays as it is.",
  asks: "servers",
  flags,
  async run(call) {
    const { api, print } = call;
    const now = await configurationOf(api);
    const answer = await api
      .put(configurationPath, {
        query: { cas: String(now.ModifyIndex) },
        body: { ...now, ...changes(call) },
      })
      .catch(failing("Error setting Autopilot configuration"));
    if (!answer.text.includes("true")) {
      throw new Failure("Configuration could not be atomically updated, please try again");
    }
    print("Configuration updated!");
  },
});

function changes({ flags: given }: Call<typeof flags>): Partial<Configuration> {
  const wanted = {
    CleanupDeadServers: given["cleanup-dead-servers"],
    DisableUpgradeMigration: given["disable-upgrade-migration"],
    LastContactThreshold: given["last-contact-threshold"],
    MaxTrailingLogs: given["max-trailing-logs"],
    MinQuorum: given["min-quorum"],
    RedundancyZoneTag: given["redundancy-zone-tag"],
    ServerStabilizationTime: given["server-stabilization-time"],
    UpgradeVersionTag: given["upgrade-version-tag"],
  };
  return Object.fromEntries(Object.entries(wanted).filter(([, value]) => value !== undefined));
}

function truth(help: string) {
  const flag = optional("true|false", help, (text) => {
    const value = parseBoolean(text);
    if (value !== null) return value;
    throw new Error(`strconv.ParseBool: parsing ${JSON.stringify(text)}: invalid syntax`);
  });
  return { ...flag, isSwitch: true as const };
}

function natural(help: string) {
  return optional("value", help, (text) => {
    if (/^\d+$/.test(text)) return Number(text);
    throw new Error(`strconv.ParseUint: parsing ${JSON.stringify(text)}: invalid syntax`);
  });
}

function duration(placeholder: string, help: string) {
  return optional(placeholder, help, (text) => formatDuration(parseDuration(text)));
}
