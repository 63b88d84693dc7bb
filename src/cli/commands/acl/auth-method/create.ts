// `acl auth-method create`.

import { misused } from "../../../arguments.ts";
import { type Call, command, Failure, failing } from "../../../command.ts";
import { type FlagTable, textFlag } from "../../../flags.ts";
import { methodKind } from "../kinds.ts";
import { outputFormat, show, showFlags } from "../show.ts";
import type { AuthMethod } from "../types.ts";
import { configFrom, fieldFlags, kubernetesConfig, plainFields } from "./fields.ts";

const flags = {
  ...showFlags,
  ...fieldFlags,
  name: textFlag("Name of the auth method. Required."),
  type: textFlag("Type of the auth method. Required."),
} satisfies FlagTable;

export default command({
  usage: ["acl auth-method create -name NAME -type TYPE [options]"],
  about: `
Creates an auth method and prints it.

    $ consul acl auth-method create -name "a" -type jwt -config @a.json`,
  asks: "servers",
  flags,
  async run(call) {
    const { api, flags: given } = call;
    if (given.type === "") throw misused(call, "Missing required '-type' flag", "\n");
    if (given.name === "") throw misused(call, "Missing required '-name' flag", "\n");
    const format = outputFormat(call);
    const config = (await configFrom(call)) ?? (await kubernetes(call));
    const body = {
      Name: given.name,
      Type: given.type,
      ...plainFields(call),
      ...(config && { Config: config }),
    };
    const answer = await api
      .put("/v1/acl/auth-method", { body })
      .catch(failing("Failed to create new auth method"));
    show(call, format, methodKind, answer.json<AuthMethod>());
  },
});

async function kubernetes(call: Call<typeof flags>): Promise<Record<string, string> | null> {
  if (call.flags.type !== "kubernetes") return null;
  const config = await kubernetesConfig(call);
  const needed = {
    Host: "kubernetes-host",
    CACert: "kubernetes-ca-cert",
    ServiceAccountJWT: "kubernetes-service-account-jwt",
  };
  for (const [member, flag] of Object.entries(needed)) {
    if (config[member] === undefined) throw new Failure(`Missing required '-${flag}' flag`);
  }
  return config;
}
