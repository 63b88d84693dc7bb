// Names in paths of URLs.

/** A name as one part of a path, with what Go leaves as it is. */
export function pathEscape(text: string): string {
  return encodeURIComponent(text).replace(/%(?:2B|40|24|26|3A|3D)/g, decodeURIComponent);
}

/** A path whose slashes stay. */
export function pathOf(text: string): string {
  return text.split("/").map(pathEscape).join("/");
}
