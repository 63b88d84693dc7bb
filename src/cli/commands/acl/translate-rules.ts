// `acl translate-rules`: rules of the legacy ACL system as a policy says them.

import { translateRules } from "../../../core/acl/legacy.ts";
import { type Call, command, Failure, failing } from "../../command.ts";
import { dataFrom } from "../../data.ts";
import { type FlagTable, switchFlag } from "../../flags.ts";
import { readToken, tokenId } from "./find.ts";
import type { Token } from "./types.ts";

const flags = {
  "token-accessor": switchFlag("TRANSLATE is the accessor ID of a token that has the rules."),
  "token-secret": switchFlag("TRANSLATE is the secret ID of a token that has the rules."),
} satisfies FlagTable;

export default command({
  usage: ["acl translate-rules  [options] TRANSLATE"],
  about: `
Prints legacy rules as a policy has them. They are the argument itself, in the file that follows an
"@", what stdin gives for "-", or those of a legacy token.

    $ consul acl translate-rules @rules.hcl

    $ consul acl translate-rules 'key "" { policy = "write"}'`,
  asks: "servers",
  flags,
  async run(call) {
    const [given] = call.args;
    if (given === undefined) throw new Failure("Error! Missing TRANSLATE argument");
    if (call.args.length > 1) {
      throw new Failure(`Error! Too many arguments: expected 1 got ${call.args.length}`);
    }
    const data = (await dataFrom(given, call.around).catch(failed)).toString();
    const rules = await rulesFrom(call, data);
    try {
      call.print(translateRules(rules));
    } catch (failure) {
      failing("Error translating rules")(failure);
    }
  },
});

function failed(failure: unknown): never {
  throw failure instanceof Failure ? new Failure(`Error! ${failure.message}`) : failure;
}

async function rulesFrom(call: Call<typeof flags>, data: string): Promise<string> {
  if (!call.flags["token-accessor"] && !call.flags["token-secret"]) return data;
  const token = await tokenOf(call, data.trim());
  if (token.Rules) return token.Rules;
  throw new Failure("Token is not a legacy token with rules");
}

async function tokenOf({ api, flags: options }: Call<typeof flags>, given: string): Promise<Token> {
  if (options["token-secret"]) {
    const headers = { "X-Consul-Token": given };
    const answer = await api
      .get("/v1/acl/token/self", { headers })
      .catch(failing("Error reading token"));
    return answer.json<Token>();
  }
  const id = await tokenId(api, given).catch(failing("Error determining token ID"));
  return await readToken(api, id).catch(failing("Error reading token"));
}
