// What every measurement has in common: a trial measures some rows of one subject, and is repeated for each subject in
// turn. Rows are what the table shows.

import type { Subject } from "./subjects.ts";

/** One line of the table, and what it is to reach: design.md §11. */
export interface Row {
  /** What `--rows` takes. */
  name: string;
  title: string;
  unit: "/s" | "ms" | "MB" | "%" | "kB/min";
  /** Of what is measured, and of what it costs: less is better, except for a rate. */
  reach: Reach;
}

/** `times` better than the subject it names, or at most so much of the row's unit. */
export type Reach = { times: number; than: string } | { atMost: number };

export interface Sample {
  value: number;
  /** Of the subject's processes, for each request of those that `value` tells about. */
  cpuMicros?: number;
  /** Memory that the subject's processes share with nobody, when they were done. */
  privateMegabytes?: number;
}

export type Report = (row: string, sample: Sample) => void;

export interface Trial {
  rows: readonly Row[];
  /** Starts the subject, reports a sample or more of each wanted row, and stops it. */
  measure(subject: Subject, wanted: ReadonlySet<string>, report: Report): Promise<void>;
  /** False when the subject has nothing that could be measured so. */
  applies(subject: Subject): boolean;
}

/** How long, how much and how often; `--quick` takes less of each. */
export interface Effort {
  /** Times that each trial is measured for each subject. */
  repetitions: number;
  /** How long each row is under load, a fifth of it as warm-up. */
  loadMs: number;
  /** Writes of 1,000 watched keys, failovers and starts in one repetition. */
  rounds: number;
  /** Pairs of datacenters that run side by side, and turns of each of the two in each row. */
  pairs: number;
  turns: number;
  /** How long an agent is watched to which nothing happens. */
  idleMs: number;
  /** Registered before memory is measured. */
  services: number;
}

export const fullEffort: Effort = {
  repetitions: 3,
  loadMs: 4_000,
  rounds: 3,
  pairs: 8,
  turns: 4,
  idleMs: 60_000,
  services: 10_000,
};
export const quickEffort: Effort = {
  repetitions: 3,
  loadMs: 1_000,
  rounds: 1,
  pairs: 2,
  turns: 2,
  idleMs: 10_000,
  services: 1_000,
};

export function toConsul(times: number): Reach {
  return { times, than: "consul" };
}
