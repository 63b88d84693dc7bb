// `snapshot save`: the whole state as a file, which has its name only once it is whole.

import { createWriteStream, renameSync, rmSync } from "node:fs";
import { pipeline } from "node:stream/promises";

import { command, Failure, failing } from "../../command.ts";
import { goReason, openError } from "../../../agent/go-reasons.ts";
import { fileFrom, verified } from "../../snapshot-file.ts";

export default command({
  usage: ["snapshot save [options] FILE"],
  about: `
Saves the state of the servers as it is at one moment: catalog, keys, sessions, prepared queries and
ACLs. With ACLs it takes a management token.

    $ consul snapshot save backup.snap

With -stale any server gives what it has, also when there is no leader.

    $ consul snapshot save -stale backup.snap`,
  asks: "servers",
  flags: {},
  async run({ api, args, around, print }) {
    const file = fileFrom(args);
    const signal = around.interrupted();
    const response = await api
      .stream("GET", "/v1/snapshot", { signal })
      .catch(failing("Error saving snapshot"));
    const unverified = `${file}.unverified`;
    try {
      await pipeline(response.body, createWriteStream(unverified, { mode: 0o600 }), { signal });
      await verified(unverified, "Error verifying snapshot file");
      rename(unverified, file);
    } catch (failure) {
      rmSync(unverified, { force: true });
      if (signal.aborted) throw new Failure("Interrupted: nothing was saved");
      if (failure instanceof Failure) throw failure;
      const isOfFile = (failure as NodeJS.ErrnoException).path !== undefined;
      const reason = isOfFile ? openError(unverified, failure) : "unexpected EOF";
      throw new Failure(`Error writing unverified snapshot file: ${reason}`);
    }
    print(`Saved and verified snapshot to index ${response.header("X-Consul-Index") ?? "0"}`);
  },
});

function rename(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (failure) {
    const { code } = failure as NodeJS.ErrnoException;
    const reason = code === "EISDIR" ? "file exists" : goReason(failure);
    throw new Failure(`Error renaming "${from}" to "${to}": rename ${from} ${to}: ${reason}`);
  }
}
