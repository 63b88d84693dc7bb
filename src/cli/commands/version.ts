// `version`: our own version, then that of the Consul whose interfaces this speaks. Scripts that parse what `consul
// version` prints read its first line, so linked under that name it begins with Consul's.

import { consulVersion, proconsulVersion } from "../../members.ts";
import { command } from "../command.ts";
import { formatFlag, formatFrom } from "../format.ts";
import { programName } from "../help.ts";
import { indentedJson } from "../json.ts";

const protocols = { Default: 2, Min: 2, Max: 3 };

export default command({
  usage: ["version [options]"],
  about: "Prints the version, and that of the Consul it speaks.",
  asks: "nobody",
  flags: { format: formatFlag },
  run({ flags, print }) {
    const format = formatFrom(flags.format, `Unknown format: ${flags.format}`);
    if (format === "pretty") printPretty(print);
    else {
      const facts = { Version: consulVersion, Revision: "", Prerelease: "", RPC: protocols };
      print(indentedJson(facts, "   "));
    }
    return Promise.resolve();
  },
});

function printPretty(print: (line: string) => void): void {
  const own = `Proconsul ${proconsulVersion}`;
  const spoken = `Consul v${consulVersion}`;
  for (const line of programName === "consul" ? [spoken, own] : [own, spoken]) print(line);
  print(
    "Protocol 2 spoken by default, understands 2 to 3 " +
      "(agent will automatically use protocol >2 when speaking to compatible agents)\n",
  );
}
