// What a step of a scenario is: a command line, with its stdin and its files.

export interface Step {
  args: readonly string[];
  stdin?: string;
  /** Files that exist while it runs, in its working directory. */
  files?: Readonly<Record<string, string>>;
}

export interface Scenario {
  name: string;
  /** Runs against routes in memory; otherwise an agent is needed. */
  inMemory: boolean;
  /** Against a datacenter with ACLs, as a manager. */
  acl?: true;
  steps: readonly Step[];
}

/** Words as a shell splits them, with single quotes. */
export function words(line: string): string[] {
  return [...line.matchAll(/(?:[^\s']|'[^']*')+/g)].map(([word]) => word.replaceAll("'", ""));
}

export function steps(...lines: (string | [string, Omit<Step, "args">])[]): Step[] {
  return lines.map((line) =>
    typeof line === "string" ? { args: words(line) } : { args: words(line[0]), ...line[1] },
  );
}

/** A step's only file. */
export function file(text: string): Omit<Step, "args"> {
  return { files: { "one.json": text } };
}
