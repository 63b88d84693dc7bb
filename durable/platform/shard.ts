// Which of several objects keeps something: by a hash of its name, so that everybody finds it without asking.

/** FNV-1a of UTF-16 units. Never changes: it says where things are kept. */
export function hashOf(text: string): number {
  let value = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) {
    value = Math.imul(value ^ text.charCodeAt(at), 0x01000193);
  }
  return value >>> 0;
}

/** In [0, count). */
export function shardOf(name: string, count: number): number {
  return hashOf(name) % Math.max(1, count);
}
