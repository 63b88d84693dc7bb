// The configuration of autopilot, as the API gives and takes it.

import type { Api } from "../../../api.ts";
import { failing } from "../../../command.ts";

export const configurationPath = "/v1/operator/autopilot/configuration";

export interface Configuration {
  CleanupDeadServers: boolean;
  LastContactThreshold: string;
  MaxTrailingLogs: number;
  MinQuorum: number;
  ServerStabilizationTime: string;
  RedundancyZoneTag: string;
  DisableUpgradeMigration: boolean;
  UpgradeVersionTag: string;
  ModifyIndex: number;
}

/** Throws Failure. */
export async function configurationOf(api: Api): Promise<Configuration> {
  const answer = await api
    .get(configurationPath)
    .catch(failing("Error querying Autopilot configuration"));
  return answer.json<Configuration>();
}
