// `acl policy create`.

import { misused } from "../../../arguments.ts";
import { type Call, command, Failure, failing } from "../../../command.ts";
import { dataFrom } from "../../../data.ts";
import { type FlagTable, switchFlag, textFlag } from "../../../flags.ts";
import { readToken, tokenId } from "../find.ts";
import { policyKind } from "../kinds.ts";
import { outputFormat, show, showFlags } from "../show.ts";
import type { Policy, Token } from "../types.ts";
import { translateRules } from "../../../../core/acl/legacy.ts";
import { fieldFlags, rulesFrom } from "./fields.ts";

const flags = {
  ...showFlags,
  ...fieldFlags,
  "from-token": textFlag("A legacy token whose rules the policy gets: by its ID, @file, or -."),
  name: textFlag("Name of the policy. Required."),
  "token-secret": switchFlag("What -from-token gives is the secret ID."),
} satisfies FlagTable;

export default command({
  usage: ["acl policy create -name NAME [options]"],
  about: `
Creates a policy and prints it.

    $ consul acl policy create -name "new-policy" -rules @rules.hcl`,
  asks: "servers",
  flags,
  async run(call) {
    const { api, flags: given } = call;
    if (given.name === "") throw misused(call, "Missing require '-name' flag", "\n");
    const format = outputFormat(call);
    const body = {
      Name: given.name,
      Description: given.description,
      Datacenters: given["valid-datacenter"],
      Rules: await rulesOf(call),
    };
    const answer = await api
      .put("/v1/acl/policy", { body })
      .catch(failing("Failed to create new policy"));
    show(call, format, policyKind, answer.json<Policy>());
  },
});

async function rulesOf(call: Call<typeof flags>): Promise<string> {
  const source = call.flags["from-token"];
  if (source === "") return await rulesFrom(call);
  const context = "Error loading rules";
  if (call.flags.rules !== "") {
    throw new Failure(`${context}: Cannot specify both -rules and -from-token`);
  }
  const data = await dataFrom(source, call.around).catch(failing(context));
  const token = await legacyToken(call, data.toString().trim()).catch(failing(context));
  if (!token.Rules) throw new Failure(`${context}: Token is not a legacy token with rules`);
  return translateRules(token.Rules);
}

async function legacyToken({ api, flags: given }: Call<typeof flags>, id: string): Promise<Token> {
  if (!given["token-secret"]) return await readToken(api, await tokenId(api, id));
  const headers = { "X-Consul-Token": id };
  return (await api.get("/v1/acl/token/self", { headers })).json<Token>();
}
