// Data that a command takes as an argument: as it is, from a file with `@`, or from stdin with `-`.

import { readFileSync } from "node:fs";

import { Failure, type Surroundings } from "./command.ts";
import { openError } from "../agent/go-reasons.ts";

/** Throws Failure in Consul's words when a file cannot be read. */
export async function dataFrom(argument: string, around: Surroundings): Promise<Buffer> {
  if (argument === "-") return await around.stdin();
  if (!argument.startsWith("@")) return Buffer.from(argument);
  const path = argument.slice(1);
  try {
    return readFileSync(path);
  } catch (failure) {
    throw new Failure(`Failed to read file: ${openError(path, failure)}`);
  }
}
