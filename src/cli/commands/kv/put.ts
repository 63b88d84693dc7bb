// `kv put`: writes a value, perhaps only if nobody else did, or as the holder of a lock.

import { firstBadBase64 } from "../../../core/model/decode.ts";
import { type Call, command, Failure, failing } from "../../command.ts";
import { dataFrom } from "../../data.ts";
import { type FlagTable, switchFlag, textFlag, uintFlag } from "../../flags.ts";
import { namespaceFlag } from "../../http-flags.ts";
import { checkName, kvPath } from "./pairs.ts";

const flags = {
  ...namespaceFlag,
  acquire: switchFlag("Take the lock of the key for -session; the key is made if need be."),
  base64: switchFlag("The data is given in base 64."),
  cas: switchFlag("Write only if the key is still at -modify-index."),
  flags: uintFlag("A number to keep with the value; what it means is the writer's affair."),
  "modify-index": uintFlag("With -cas, the ModifyIndex that the key must have."),
  release: switchFlag("Give the lock of the key back, which -session holds."),
  session: textFlag("ID of the session for -acquire and -release."),
} satisfies FlagTable;

type Mode = "cas" | "acquire" | "release" | "plain";

export default command({
  usage: ["kv put [options] KEY [DATA]"],
  about: `
Writes data to a key. The data is the argument itself, the file that follows an
"@", or what stdin gives for "-". Without it the value is empty.

    $ consul kv put config/redis/maxconns 5

    $ consul kv put config/program/license @license.lic

    $ echo "abcd1234" | consul kv put config/program/license -

    $ consul kv put -cas -modify-index=844 config/redis/maxconns 5`,
  asks: "servers",
  flags,
  async run(call) {
    const { args, api, flags: options, print } = call;
    const key = keyFrom(args);
    const value = await valueFrom(call);
    const mode = modeFrom(call);
    checkName(key, "Error! Failed writing data");
    const query = {
      ...(options.flags !== 0n && { flags: String(options.flags) }),
      ...(mode === "cas" && { cas: String(options["modify-index"]) }),
      ...(mode === "acquire" && { acquire: options.session }),
      ...(mode === "release" && { release: options.session }),
    };
    const answer = await api
      .put(kvPath(key), { query, body: value })
      .catch(failing("Error! Failed writing data"));
    if (mode !== "plain" && !answer.text.includes("true")) throw new Failure(refusal(mode, key));
    print(success(mode, key));
  },
});

function keyFrom(args: readonly string[]): string {
  const [key] = args;
  if (key === undefined) throw new Failure("Error! Missing KEY argument");
  if (args.length > 2) {
    throw new Failure(`Error! Too many arguments (expected 1 or 2, got ${args.length})`);
  }
  return key;
}

async function valueFrom({
  args,
  around,
  flags: { base64 },
  complain,
}: Call<typeof flags>): Promise<Buffer> {
  const data = await dataFrom(args[1] ?? "", around).catch(failedToRead);
  if (!base64) return data;
  const text = data.toString().replaceAll(/[\r\n]/g, "");
  const at = firstBadBase64(text);
  if (at === null) return Buffer.from(text, "base64");
  // Consul complains and writes what it could read.
  complain(`Error! Cannot base 64 decode data: illegal base64 data at input byte ${at}`);
  return Buffer.from(text.slice(0, at - (at % 4)), "base64");
}

function failedToRead(failure: unknown): never {
  throw failure instanceof Failure ? new Failure(`Error! ${failure.message}`) : failure;
}

function modeFrom({ flags: options }: Call<typeof flags>): Mode {
  const { cas, acquire, release, session } = options;
  if (cas && options["modify-index"] === 0n) {
    throw new Failure("Must specify -modify-index with -cas!");
  }
  if ((acquire || release) && session === "") {
    throw new Failure("Error! Missing -session (required with -acquire and -release)");
  }
  if (cas) return "cas";
  if (acquire) return "acquire";
  return release ? "release" : "plain";
}

function refusal(mode: Mode, key: string): string {
  if (mode === "cas") return `Error! Did not write to ${key}: CAS failed`;
  return mode === "acquire" ? "Error! Did not acquire lock" : "Error! Did not release lock";
}

function success(mode: Mode, key: string): string {
  if (mode === "acquire") return `Success! Lock acquired on: ${key}`;
  return mode === "release"
    ? `Success! Lock released on: ${key}`
    : `Success! Data written to: ${key}`;
}
