// `snapshot restore`: gives the servers the state that a file holds.

import { createReadStream, statSync } from "node:fs";

import { FileBody } from "../../api.ts";
import { command, Failure, failing } from "../../command.ts";
import { openError } from "../../../agent/go-reasons.ts";
import { fileFrom, requireOpens } from "../../snapshot-file.ts";

export default command({
  usage: ["snapshot restore [options] FILE"],
  about: `
Replaces the state of the servers by the one that a file holds. Either all of it takes effect at one
moment, or nothing. With ACLs it takes a management token.

    $ consul snapshot restore backup.snap`,
  asks: "servers",
  flags: {},
  async run({ api, args, around, print }) {
    const file = fileFrom(args);
    requireOpens(file);
    const stat = statSync(file);
    if (stat.isDirectory()) {
      throw new Failure(`Error restoring snapshot: read ${file}: is a directory`);
    }
    // A large one is worked on for minutes in silence: who tires of it interrupts.
    const signal = around.interrupted();
    const bytes = createReadStream(file);
    bytes.on("error", (failure) => around.err(`${openError(file, failure)}\n`));
    await api
      .put("/v1/snapshot", { body: new FileBody(bytes, stat.size), signal })
      .catch(failing("Error restoring snapshot"));
    print("Restored snapshot");
  },
});
