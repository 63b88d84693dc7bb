// What browsers keep, which they may refuse to.

export function readKept(storage: "localStorage" | "sessionStorage", name: string): string {
  try {
    return window[storage].getItem(name) ?? "";
  } catch {
    return "";
  }
}

/** "" forgets it. */
export function keep(
  storage: "localStorage" | "sessionStorage",
  name: string,
  value: string,
): void {
  try {
    if (value === "") window[storage].removeItem(name);
    else window[storage].setItem(name, value);
  } catch {
    // It counts until the page is closed.
  }
}
