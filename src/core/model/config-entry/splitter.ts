// What makes a `service-splitter` entry acceptable. Weights are percent in steps of 0.01, in Go's 32-bit floats.

import { shortestFloat32 } from "./go-number.ts";
import type { ServiceSplit, ServiceSplitter } from "./types.ts";

const wholeScaled = 10_000n;

export function normalizeSplitter(entry: ServiceSplitter): ServiceSplitter {
  const splits = entry.Splits?.map((split) => ({
    ...split,
    Weight: normalizeWeight(split.Weight),
  }));
  return { ...entry, Splits: splits ?? null };
}

/** The nearest weight that can be represented. */
export function normalizeWeight(weight: number): number {
  return shortestFloat32(Math.fround(Number(scaled(weight))) / 100);
}

/** Product of two weights in percent, rounded as it goes. */
export function multiplyWeights(outer: number, inner: number): number {
  const product = Math.fround(Math.fround(outer) * Math.fround(inner));
  return normalizeWeight(Math.fround(product / 100));
}

/** In hundredths, wrapped like Go's int64. */
function scaled(weight: number): bigint {
  const product = Math.fround(Math.fround(weight) * 100);
  const rounded = Math.sign(product) * Math.round(Math.abs(product));
  if (!(Math.abs(rounded) < 2 ** 63)) return -(2n ** 63n);
  return BigInt(rounded);
}

/** Why the entry is refused; null when it is fine. */
export function splitterProblem({ Name: name, Splits: given }: ServiceSplitter): string | null {
  const splits = given ?? [];
  if (splits.length === 0) return "no splits configured";
  const destinations = new Set<string>();
  for (const split of splits) {
    const destination = describe(split, name);
    if (destinations.has(destination)) {
      return `split destination occurs more than once: ${destination}`;
    }
    destinations.add(destination);
  }
  const sum = BigInt.asIntN(
    64,
    splits.reduce((total, { Weight: weight }) => total + scaled(weight), 0n),
  );
  if (sum === wholeScaled) return null;
  const percent = Math.fround(Math.fround(Number(sum)) / 100).toFixed(6);
  return `the sum of all split weights must be 100, not ${percent}`;
}

function describe(split: ServiceSplit, owner: string): string {
  const parts: [string, string][] = [
    ["service", split.Service === "" ? owner : split.Service],
    ["subset", split.ServiceSubset],
    ["namespace", split.Namespace],
  ];
  return parts.map(([part, value]) => `${part}=${JSON.stringify(value)}`).join(", ");
}

export function servicesOfSplitter({ Splits: splits }: ServiceSplitter): string[] {
  return (splits ?? []).map((split) => split.Service).filter((service) => service !== "");
}
