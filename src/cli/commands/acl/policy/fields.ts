// What flags say of a policy, and which policy they mean.

import type { Api } from "../../../api.ts";
import { type Call, Failure, failing } from "../../../command.ts";
import { dataFrom } from "../../../data.ts";
import { type FlagTable, listFlag, textFlag } from "../../../flags.ts";
import { policyId, policyIdByName } from "../find.ts";

export const fieldFlags = {
  description: textFlag("What the policy is for."),
  rules: textFlag("The rules: as they are, in the file behind an @, or from stdin for -."),
  "valid-datacenter": listFlag(
    "A datacenter in which the policy counts; in all when there is none. May be given several times.",
  ),
} satisfies FlagTable;

export const whichFlags = {
  id: textFlag("ID of the policy, or the beginning of one."),
  name: textFlag("Name of the policy."),
} satisfies FlagTable;

/** Throws Failure. */
export async function rulesFrom(call: Call<typeof fieldFlags>): Promise<string> {
  const data = await dataFrom(call.flags.rules, call.around).catch(failing("Error loading rules"));
  return data.toString();
}

export async function whichPolicy(api: Api, id: string, name: string): Promise<string> {
  if (id === "" && name === "") {
    throw new Failure("Must specify either the -id or -name parameters");
  }
  const found = id === "" ? policyIdByName(api, name) : policyId(api, id);
  return await found.catch(failing("Error determining policy ID"));
}
