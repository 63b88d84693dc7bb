// `proconsul version`: our own version, then that of the Consul whose interfaces this speaks. Scripts that parse what
// `consul version` prints read its first line, so linked under that name it begins with Consul's.

import { basename } from "node:path";

import { consulVersion, proconsulVersion } from "../../members.ts";
import { type Command, print } from "../command.ts";

function run(): Promise<number> {
  const own = `Proconsul ${proconsulVersion}`;
  const spoken = `Consul v${consulVersion}`;
  const isConsul = /^consul(\.exe)?$/.test(basename(process.argv[1] ?? ""));
  for (const line of isConsul ? [spoken, own] : [own, spoken]) print(line);
  print(
    "Protocol 2 spoken by default, understands 2 to 3 " +
      "(agent will automatically use protocol >2 when speaking to compatible agents)\n",
  );
  return Promise.resolve(0);
}

export const version: Command = {
  name: "version",
  synopsis: "Prints the version, and that of the Consul it speaks",
  run,
};
