// One agent for one data directory, for the life of its process. The lock is SQLite's own on a file there, which the
// operating system lets go when the process ends, however it does: nothing stale is ever left to be judged.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";

import { makeDirectory } from "./directory.ts";
import { loadSqlite } from "./sqlite.ts";

export interface DataLock {
  release(): void;
}

/**
 * Takes the lock of `dataDir`, which is made when it is not there. Throws an Error that names the pid of the holder, or
 * says why the directory cannot be used.
 */
export function lockDataDirectory(dataDir: string): DataLock {
  const pidFile = join(dataDir, "agent.pid");
  let database: DatabaseSync;
  try {
    makeDirectory(dataDir);
    const { DatabaseSync: Database } = loadSqlite();
    database = new Database(join(dataDir, "agent.lock"));
  } catch (failure) {
    throw new Error(`data_dir ${dataDir} cannot be used: ${(failure as Error).message}`, {
      cause: failure,
    });
  }
  try {
    database.exec("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE");
    // Only who holds the lock writes here, so that what the next one reads is its holder.
    writeFileSync(pidFile, `${process.pid}\n`);
  } catch (failure) {
    database.close();
    if ((failure as { errcode?: number }).errcode !== sqliteBusy) {
      throw new Error(`data_dir ${dataDir} cannot be locked: ${(failure as Error).message}`, {
        cause: failure,
      });
    }
    const holder = `process ${holderOf(pidFile)}`;
    throw new Error(`data_dir ${dataDir} is in use by another agent (${holder})`, {
      cause: failure,
    });
  }
  held.add(database);
  return {
    release: () => {
      held.delete(database);
      database.close();
    },
  };
}

/** A database that nobody refers to is closed when its memory is collected, and its lock with it. */
const held = new Set<DatabaseSync>();

const sqliteBusy = 5;

function holderOf(pidFile: string): string {
  try {
    return readFileSync(pidFile, "utf8").trim();
  } catch {
    return "unknown";
  }
}
