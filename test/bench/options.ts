// `npm run bench -- [--against COMMIT | --acl] [--rows NAME,...] [--quick]`

import { type Effort, fullEffort, quickEffort } from "./trials.ts";

export interface BenchOptions {
  /** Measured beside the working tree; null for nothing. */
  against: string | null;
  /** What ACLs cost is measured, and nothing else. */
  acl: boolean;
  rows: ReadonlySet<string>;
  effort: Effort;
}

/** Throws an Error for people when an argument is unknown, or a row. */
export function parseOptions(args: readonly string[], rowNames: readonly string[]): BenchOptions {
  let against: string | null = null;
  let acl = false;
  let rows = new Set(rowNames);
  let effort = fullEffort;
  for (let at = 0; at < args.length; at++) {
    const [flag = "", inline] = (args[at] ?? "").split(/=(.*)/s);
    const value = (): string => {
      const given = inline ?? args[++at];
      if (given === undefined || given === "") throw new Error(`${flag} needs a value`);
      return given;
    };
    if (flag === "--against") against = value();
    else if (flag === "--rows") rows = new Set(value().split(","));
    else if (flag === "--acl") acl = true;
    else if (flag === "--quick") effort = quickEffort;
    else
      throw new Error(`unknown argument ${flag}: there are --against, --acl, --rows and --quick`);
  }
  if (acl && against !== null) throw new Error("--acl is measured by itself: without --against");
  const unknown = [...rows].filter((row) => !rowNames.includes(row));
  if (unknown.length > 0) {
    throw new Error(`no row is called ${unknown.join(", ")}: there are ${rowNames.join(", ")}`);
  }
  return { against, acl, rows, effort };
}
