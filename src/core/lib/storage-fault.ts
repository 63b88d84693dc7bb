// Two kinds of failure look alike when a command is applied: the command is poison, which every server finds
// out in the same way, or this server's storage is failing, which only it can see. The first is recorded, the
// second must stop the server. SQLite says which it is only in its text.

/** Results of SQLite that follow from the statement and its values, so every server gets them. */
const deterministic =
  /constraint|datatype mismatch|too big|cannot store|cannot bind|wrong number|no such|syntax error/i;
const sqlite = /sqlite|database|disk|storage/i;

export function isStorageFault(failure: unknown): boolean {
  if (!(failure instanceof Error)) return false;
  const text = `${failure.name} ${failure.message}`;
  return sqlite.test(text) && !deterministic.test(text);
}
