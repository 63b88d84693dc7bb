// What rows of every area have in common. Names of nodes, services and checks are looked up in any case, so
// keys hold the lower-case form (`node_key`, `name_key`...); the spelling that clients see is inside `body`.

/** Lower-case form under which a name is looked up. */
export function nameKey(name: string): string {
  return name.toLowerCase();
}

/** JSON text of an object with its two indexes appended; `body` is the object without them. */
export function withIndexes(
  body: string,
  row: { create_index: number; modify_index: number },
): string {
  const indexes = `"CreateIndex":${row.create_index},"ModifyIndex":${row.modify_index}}`;
  return `${body.slice(0, -1)},${indexes}`;
}

/** JSON text of a list of JSON texts. */
export function list(texts: readonly string[]): string {
  return `[${texts.join(",")}]`;
}
