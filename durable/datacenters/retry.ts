// When a datacenter that cannot be reached is tried again.

const retryMinMs = 1_000;
const retryMaxMs = 300_000;

/** How long to wait after so many failures in a row, at least one. */
export function retryDelayMs(failures: number): number {
  return Math.min(retryMaxMs, retryMinMs * 2 ** (failures - 1));
}
