// Node's SQLite, loaded by whoever needs it first. Older versions of Node warn once that it is experimental, which is
// nobody's concern here.

export function loadSqlite(): typeof import("node:sqlite") {
  const { emitWarning } = process;
  process.emitWarning = () => undefined;
  try {
    return process.getBuiltinModule("node:sqlite");
  } finally {
    process.emitWarning = emitWarning;
  }
}
