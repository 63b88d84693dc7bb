// How long texts of checks are cut: scripts keep their end, where the error usually is; everything
// else its beginning. Sizes are in bytes of UTF-8; a character that would be cut in two becomes
// U+FFFD.

/** Consul's `check_output_max_size` unless configured. */
export const outputBytesMaxDefault = 4096;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/**
 * The last `bytesMax` bytes, after a line that says how much was seen. `totalBytes` may exceed what
 * was kept.
 */
export function keepEnd(output: Uint8Array, totalBytes: number, bytesMax: number): string {
  const text = decoder.decode(output.subarray(Math.max(0, output.length - bytesMax)));
  return totalBytes > bytesMax ? `Captured ${bytesMax} of ${totalBytes} bytes\n...\n${text}` : text;
}

/** The first `bytesMax` bytes, and a note when there were more. */
export function keepStart(output: string, bytesMax: number): string {
  if (output.length * 3 <= bytesMax) return output;
  const bytes = encoder.encode(output);
  if (bytes.length <= bytesMax) return output;
  const head = decoder.decode(bytes.subarray(0, bytesMax));
  return `${head} ... (captured ${bytesMax} of ${bytes.length} bytes)`;
}

/** The smaller of the check's own limit and the agent's. */
export function outputLimit(checkBytesMax: number, agentBytesMax: number): number {
  return checkBytesMax > 0 ? Math.min(checkBytesMax, agentBytesMax) : agentBytesMax;
}
