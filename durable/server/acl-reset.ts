// How an operator who lost every token bootstraps ACLs again: by a file on the disk of the server that leads, which
// holds the index that a refused bootstrap has named (semantics §11.4). No request can name it.

import type { Command } from "../../src/core/state/commands.ts";
import type { OperatorFiles } from "../platform/platform.ts";

export const aclResetFile = "acl-bootstrap-reset";

export class AclReset {
  readonly #files: OperatorFiles;

  constructor(files: OperatorFiles) {
    this.#files = files;
  }

  /** A bootstrap with the index of this server's own disk, whatever it came with; other commands as they are. */
  complete(command: Command): Command {
    return command.type === "acl.bootstrap" ? { ...command, resetIndex: this.#index() } : command;
  }

  /** Once a bootstrap was applied, so that the file does not allow another one. */
  applied(command: Command): void {
    if (command.type === "acl.bootstrap" && command.resetIndex !== 0)
      this.#files.remove(aclResetFile);
  }

  /** 0: none. */
  #index(): number {
    const text = this.#files.read(aclResetFile)?.trim() ?? "";
    const index = /^\d{1,16}$/.test(text) ? Number(text) : 0;
    return Number.isSafeInteger(index) ? index : 0;
  }
}
