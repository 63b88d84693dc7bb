// Which numbers of a sender were seen: a window behind the highest one, as IPsec has it (RFC 4303 §3.4.3). Datagrams
// overtake each other, and a sender counts what it sends to everybody, so the window is wide.

const windowSize = 1_024;
/** The one that was silent for longest is forgotten first; what it has sent is too old soon anyway. */
const sendersMax = 1_024;

interface Window {
  highest: number;
  /** One bit for each of the numbers up to the highest, by number modulo the size. */
  seen: Uint32Array;
}

export class ReplayWindows {
  readonly #windows = new Map<string, Window>();

  /** False for a number that was seen, or that is too far behind to tell. */
  take(sender: string, number: number): boolean {
    const window = this.#windows.get(sender) ?? {
      highest: number - 1,
      seen: new Uint32Array(windowSize / 32),
    };
    this.#windows.delete(sender);
    if (this.#windows.size >= sendersMax) {
      const [oldest] = this.#windows.keys();
      if (oldest !== undefined) this.#windows.delete(oldest);
    }
    this.#windows.set(sender, window);
    return take(window, number);
  }
}

function take(window: Window, number: number): boolean {
  const { highest, seen } = window;
  if (number <= highest - windowSize) return false;
  if (number > highest) {
    const passed = Math.min(number - highest, windowSize);
    for (let n = number - passed + 1; n <= number; n++) mark(seen, n, false);
    window.highest = number;
  } else if (isMarked(seen, number)) return false;
  mark(seen, number, true);
  return true;
}

function isMarked(seen: Uint32Array, number: number): boolean {
  const at = number % windowSize;
  return (((seen[at >> 5] ?? 0) >>> (at & 31)) & 1) === 1;
}

function mark(seen: Uint32Array, number: number, isSeen: boolean): void {
  const at = number % windowSize;
  const bit = (1 << (at & 31)) >>> 0;
  const before = seen[at >> 5] ?? 0;
  seen[at >> 5] = isSeen ? before | bit : before & ~bit;
}
