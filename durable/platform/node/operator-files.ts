// Files that an operator leaves in the data directory of a server.

import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";

import type { OperatorFiles } from "../platform.ts";

export function operatorFilesIn(directory: string): OperatorFiles {
  return {
    read: (name) => {
      try {
        return readFileSync(join(directory, name), "utf8");
      } catch {
        // It is not there, or not for this process to read, which comes to the same.
        return null;
      }
    },
    remove: (name) => rmSync(join(directory, name), { force: true }),
  };
}
