// `proconsul version`: the version of Consul's interfaces that this speaks, because scripts parse it.

import { consulVersion } from "../../members.ts";
import { type Command, print } from "../command.ts";

function run(): Promise<number> {
  print(`Consul v${consulVersion}`);
  print(
    "Protocol 2 spoken by default, understands 2 to 3 " +
      "(agent will automatically use protocol >2 when speaking to compatible agents)\n",
  );
  return Promise.resolve(0);
}

export const version: Command = { name: "version", synopsis: "Prints the Consul version", run };
