// `login`: exchanges a token of somebody else's for one of ours.

import { readFileSync, renameSync, writeFileSync } from "node:fs";

import { type Call, command, Failure, failing } from "../command.ts";
import { type FlagTable, mapFlag, textFlag } from "../flags.ts";
import { openError } from "../../agent/go-reasons.ts";
import { namespaceFlag } from "../http-flags.ts";

const flags = {
  ...namespaceFlag,
  "bearer-token-file": textFlag("File of the token that the auth method verifies. Required."),
  meta: mapFlag("Metadata of the token as key=value. May be given several times."),
  method: textFlag("Name of the auth method. Required."),
  "token-sink-file": textFlag("File to write the new token's secret ID to. Required."),
  type: textFlag("Type of the auth method. Only methods with a bearer token are known."),
} satisfies FlagTable;

/** The file is its owner's alone. */
const sinkMode = 0o600;

export default command({
  usage: ["login [options]"],
  about: `
Shows a token of an outside issuer to an auth method and writes the secret ID of the token that this
gives to a file. "logout" ends that token.`,
  asks: "servers",
  flags,
  async run(call) {
    const { api, flags: given } = call;
    const bearer = bearerToken(call);
    const body = { AuthMethod: given.method, BearerToken: bearer, Meta: given.meta };
    const answer = await api.post("/v1/acl/login", { body }).catch(failing("Error logging in"));
    const { SecretID: secret } = answer.json<{ SecretID: string }>();
    writeSink(given["token-sink-file"], secret);
  },
});

function bearerToken({ flags: given }: Call<typeof flags>): string {
  for (const name of ["method", "token-sink-file", "bearer-token-file"] as const) {
    if (given[name] === "") throw new Failure(`Missing required '-${name}' flag`);
  }
  const file = given["bearer-token-file"];
  let text: string;
  try {
    text = readFileSync(file, "utf8").trim();
  } catch (failure) {
    throw new Failure(openError(file, failure));
  }
  if (text === "") throw new Failure(`No bearer token found in ${file}`);
  return text;
}

/** Whole or not at all: somebody may read it at any time. */
function writeSink(file: string, secret: string): void {
  const draft = `${file}.${process.pid}.tmp`;
  try {
    writeFileSync(draft, secret, { mode: sinkMode });
    renameSync(draft, file);
  } catch (failure) {
    throw new Failure(`Error writing token to file sink: ${openError(file, failure)}`);
  }
}
