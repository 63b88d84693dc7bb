// What Cloudflare charges for Workers and Durable Objects on the paid plan, and what that makes of an amount of work.
// Prices of November 2026 (https://developers.cloudflare.com/durable-objects/platform/pricing/ and
// https://developers.cloudflare.com/workers/platform/pricing/).

/** Work of a month, or of any other time. */
export interface Usage {
  /** Requests that reached the Worker. */
  workerRequests: number;
  /** Processor time of the Worker, in ms. */
  workerCpuMs: number;
  /** Requests and alarms of objects; a message on a socket is a twentieth. */
  objectRequests: number;
  /** Time for which objects were awake, in s. */
  objectSeconds: number;
  rowsWritten: number;
  rowsRead: number;
  /** What objects keep, in GB for the whole month. */
  gigabyteMonths: number;
}

/** A message on a socket costs this part of a request. */
export const requestsPerMessage = 1 / 20;

/** For which an object that was asked something is awake, in s; generous, waking up included. */
export const secondsPerRequest = 0.02;

/** An object that is awake is charged for its whole memory. */
const gigabytesPerObject = 0.128;

const planDollars = 5;

interface Price {
  /** Of one unit. */
  dollars: number;
  /** Units a month that the plan includes, for all Workers of an account together. */
  included: number;
}

const prices: Record<keyof Usage, Price> = {
  workerRequests: { dollars: 0.3e-6, included: 10e6 },
  workerCpuMs: { dollars: 0.02e-6, included: 30e6 },
  objectRequests: { dollars: 0.15e-6, included: 1e6 },
  objectSeconds: { dollars: 12.5e-6 * gigabytesPerObject, included: 400_000 / gigabytesPerObject },
  rowsWritten: { dollars: 1e-6, included: 50e6 },
  rowsRead: { dollars: 0.001e-6, included: 25e9 },
  gigabyteMonths: { dollars: 0.2, included: 5 },
};

export const noUsage: Usage = {
  ...{ workerRequests: 0, workerCpuMs: 0, objectRequests: 0, objectSeconds: 0 },
  ...{ rowsWritten: 0, rowsRead: 0, gigabyteMonths: 0 },
};

const kinds = Object.keys(prices) as (keyof Usage)[];

export function usage(parts: Partial<Usage>): Usage {
  return { ...noUsage, ...parts };
}

export function sum(...all: readonly Usage[]): Usage {
  const total = { ...noUsage };
  for (const each of all) for (const kind of kinds) total[kind] += each[kind];
  return total;
}

export function times(each: Usage, factor: number): Usage {
  const product = { ...noUsage };
  for (const kind of kinds) product[kind] = each[kind] * factor;
  return product;
}

/** Dollars for it alone, as if the plan included nothing; what judges one design against another. */
export function grossDollars(month: Usage): number {
  return kinds.reduce((dollars, kind) => dollars + month[kind] * prices[kind].dollars, 0);
}

/** Dollars of a month in which an account does nothing else, the plan itself among them. */
export function billedDollars(month: Usage): number {
  return kinds.reduce((dollars, kind) => {
    const { dollars: each, included } = prices[kind];
    return dollars + Math.max(0, month[kind] - included) * each;
  }, planDollars);
}
