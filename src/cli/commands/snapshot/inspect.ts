// `snapshot inspect`: what a file says of the state that it holds, after all of it was read.

import { columns } from "../../columns.ts";
import { command } from "../../command.ts";
import { fileFrom, requireOpens, verified } from "../../snapshot-file.ts";

export default command({
  usage: ["snapshot inspect [options] FILE"],
  about: `
Reads a file to its end, checks that it is whole, and prints what it holds.

    $ consul snapshot inspect backup.snap`,
  asks: "nobody",
  flags: {},
  async run({ args, print }) {
    const file = fileFrom(args);
    requireOpens(file);
    const { ID, Size, Index, Term, Version } = await verified(file, "Error verifying snapshot");
    const facts = { ID, Size, Index, Term, Version };
    print(columns(Object.entries(facts).map(([name, value]) => [name.padEnd(11), String(value)])));
    print("");
  },
});
