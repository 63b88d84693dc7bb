// `acl auth-method update`.

import { type Call, command, Failure, failing } from "../../../command.ts";
import { type FlagTable, switchFlag, textFlag } from "../../../flags.ts";
import { methodKind } from "../kinds.ts";
import { outputFormat, show, showFlags } from "../show.ts";
import type { AuthMethod } from "../types.ts";
import {
  configFrom,
  fieldFlags,
  kubernetesConfig,
  methodPath,
  plainFields,
  readMethod,
} from "./fields.ts";

const flags = {
  ...showFlags,
  ...fieldFlags,
  name: textFlag("Name of the auth method. Required."),
  "no-merge": switchFlag("Replace everything but name and type, also what no flag names."),
} satisfies FlagTable;

export default command({
  usage: ["acl auth-method update -name NAME [options]"],
  about: `
Changes an auth method. What no flag names stays as it is, unless -no-merge says otherwise; the
configuration is replaced as a whole.

    $ consul acl auth-method update -name "a" -description "new"`,
  asks: "servers",
  flags,
  async run(call) {
    const { api, flags: given } = call;
    if (given.name === "") {
      throw new Failure("Cannot update an auth method without specifying the -name parameter");
    }
    const format = outputFormat(call);
    const before = await readMethod(api, given.name);
    const body = {
      ...(given["no-merge"] ? { Name: before.Name, Type: before.Type } : before),
      ...plainFields(call),
      ...(await changedConfig(call, before)),
    };
    const answer = await api
      .put(methodPath(given.name), { body })
      .catch(failing(`Error updating auth method "${given.name}"`));
    show(call, format, methodKind, answer.json<AuthMethod>());
  },
});

async function changedConfig(
  call: Call<typeof flags>,
  { Type: type, Config: before }: AuthMethod,
): Promise<Pick<AuthMethod, "Config">> {
  const config = await configFrom(call);
  if (config) return { Config: config };
  if (type !== "kubernetes") return {};
  const given = await kubernetesConfig(call);
  return { Config: call.flags["no-merge"] ? given : { ...before, ...given } };
}
