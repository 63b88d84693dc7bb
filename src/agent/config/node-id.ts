// A node's id, which outlives its name and address: the one that was given, else the one in the
// data directory, else a new one, which is then kept there.

import { randomUUID } from "node:crypto";
import { existsSync, linkSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeDirectory } from "../directory.ts";
import { ConfigError } from "./errors.ts";

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const uuidLength = 36;

/** `dataDir` "" keeps nothing. Throws ConfigError for a malformed id, or when it cannot be kept. */
export function loadNodeId(given: string, dataDir: string): string {
  const file = dataDir === "" ? null : join(dataDir, "node-id");
  if (given !== "") {
    const id = checked(given.toLowerCase(), "specified NodeID is invalid");
    if (file !== null) keep(file, dataDir, id);
    return id;
  }
  if (file !== null && existsSync(file)) {
    return checked(readFileSync(file, "utf8").trim().toLowerCase(), "NodeID in file is invalid");
  }
  return file === null ? randomUUID() : drawn(file, dataDir);
}

/** Of two that draw at the same time, both get what the first one drew. */
function drawn(file: string, dataDir: string): string {
  const id = randomUUID();
  try {
    writeAside(file, dataDir, id, linkSync);
    return id;
  } catch (failure) {
    if ((failure as NodeJS.ErrnoException).code === "EEXIST" && existsSync(file)) {
      return checked(readFileSync(file, "utf8").trim().toLowerCase(), "NodeID in file is invalid");
    }
    throw new ConfigError(`failed to setup node ID: ${(failure as Error).message}`);
  }
}

function keep(file: string, dataDir: string, id: string): void {
  try {
    writeAside(file, dataDir, id, renameSync);
  } catch (failure) {
    throw new ConfigError(`failed to setup node ID: ${(failure as Error).message}`);
  }
}

/** Never half a file, which a full disk would leave, and with which no later start could go on. */
function writeAside(
  file: string,
  dataDir: string,
  id: string,
  publish: (aside: string, file: string) => void,
): void {
  makeDirectory(dataDir);
  const aside = `${file}.${randomUUID()}`;
  try {
    writeFileSync(aside, id, { mode: 0o600, flush: true });
    publish(aside, file);
  } finally {
    rmSync(aside, { force: true });
  }
}

function checked(id: string, problem: string): string {
  if (uuid.test(id)) return id;
  const reason =
    id.length === uuidLength ? "uuid is improperly formatted" : "uuid string is wrong length";
  throw new ConfigError(`failed to setup node ID: ${problem}: ${reason}`);
}
