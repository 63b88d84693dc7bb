// Everything that can go wrong in a simulated world, as options with a sentence each, and how a
// seed chooses among them.

import type { Random } from "../../src/core/lib/random.ts";
import { edge, lan, local } from "../../src/core/raft/timing.ts";
import type { Timing } from "../../src/core/raft/timing.ts";

export interface NetworkFaults {
  /** Share of messages that never arrive. */
  loss: number;
  /** Share that arrives twice. */
  duplication: number;
  delayMinMs: number;
  delayMaxMs: number;
  /** Share that takes up to `lateMs` instead, and so is overtaken by later ones. */
  late: number;
  lateMs: number;
}

/** How often, on average, each fault strikes while faults last; 0: never. Milliseconds. */
export interface FaultPeriods {
  /** Some servers cannot reach some others, in one or both directions, for a while. */
  partitionMs: number;
  /** Memory is lost, the disk is kept; woken by the next message or alarm. */
  hibernateMs: number;
  /** Memory is lost and so are writes that are not durable yet. */
  crashMs: number;
  /** A new instance starts while the old one runs on from memory; only a write stops it. */
  twinMs: number;
  /** All servers restart at once. */
  deployMs: number;
  /** The next pass through the driver throws, at a step chosen at random. */
  exceptionMs: number;
  /** Writes of one server take long to become durable. */
  slowDiskMs: number;
  /** A server's clock jumps by up to `clockStepMs`, forwards or back. */
  clockStepEveryMs: number;
  /** A server is added, promoted or removed, or leadership is handed over. */
  membershipMs: number;
  /** A server compacts its log up to what it has applied, so that peers need snapshots. */
  compactMs: number;
  /** All servers but one get code that proposes commands which the last one does not know. */
  upgradeMs: number;
}

export type Preset = "lan" | "local" | "edge";

export interface SimOptions {
  preset: Preset;
  timing: Timing;
  servers: number;
  /** Empty servers that may be added. */
  spares: number;
  clients: number;
  keys: number;
  /** Mean pause between one client's operations. */
  thinkMs: number;
  /** Faults last this long; then everything is healed, and must come to rest. */
  turmoilMs: number;
  network: NetworkFaults;
  faults: FaultPeriods;
  /** Clocks run at 1 ± this. Up to 0.1 the lease is safe; beyond, reads may be a lease late. */
  drift: number;
  clockStepMs: number;
  diskMinMs: number;
  diskMaxMs: number;
  slowDiskMs: number;
  /** Shares of operations that are reads, or that are about locks and sessions. */
  reads: number;
  locking: number;
}

/** Drift up to which default reads must be linearizable. */
export const boundedDrift = 0.1;

/** The edge preset with a watchdog that can be waited for in a simulation. */
export const edgeHurried: Timing = { ...edge, watchdogMs: 20_000, retryMaxMs: 20_000 };

function sometimes(random: Random, chance: number, periodMs: number): number {
  return random.next() < chance ? periodMs * (0.5 + random.next()) : 0;
}

const timings: Record<Preset, Timing> = { lan, local, edge: edgeHurried };

/** How much slower than `lan` everything happens. */
const scales: Record<Preset, number> = { lan: 1, local: 4, edge: 2 };

export function chooseOptions(random: Random): SimOptions {
  const drawn = random.next();
  const preset = drawn < 0.55 ? "lan" : drawn < 0.65 ? "local" : "edge";
  const quiescent = preset === "edge";
  const slow = preset !== "lan";
  const clean = random.next() < 0.15;
  const wild = random.next() < 0.2;
  const scale = scales[preset];
  const rough = clean ? 0 : random.next();
  return {
    preset,
    timing: timings[preset],
    servers: random.next() < 0.1 ? 1 : random.next() < 0.7 ? 3 : 5,
    spares: random.integer(0, 3),
    clients: random.integer(2, 5),
    keys: random.next() < 0.5 ? random.integer(1, 4) : random.integer(4, 10),
    thinkMs: (slow ? 250 : 80) * (0.5 + random.next()),
    turmoilMs: (slow ? 40_000 : 15_000) * (0.5 + random.next() * 1.5),
    network: {
      loss: rough * rough * 0.15,
      duplication: rough * 0.1,
      delayMinMs: 1,
      delayMaxMs: 2 + rough * (quiescent ? 120 : 40),
      late: rough * 0.05,
      lateMs: 1500 * scale,
    },
    faults: {
      partitionMs: sometimes(random, 0.6, 1800 * scale),
      hibernateMs: sometimes(random, quiescent ? 0.7 : 0.3, 1500 * scale),
      crashMs: sometimes(random, 0.5, 2500 * scale),
      twinMs: quiescent ? sometimes(random, 0.5, 5000) : 0,
      deployMs: sometimes(random, 0.3, 4000 * scale),
      exceptionMs: sometimes(random, 0.4, 2000 * scale),
      slowDiskMs: sometimes(random, 0.4, 2000 * scale),
      clockStepEveryMs: wild ? sometimes(random, 0.7, 3000 * scale) : 0,
      membershipMs: sometimes(random, 0.5, 1500 * scale),
      compactMs: sometimes(random, 0.5, 1200 * scale),
      upgradeMs: sometimes(random, 0.35, 4000 * scale),
    },
    drift: wild ? 0.4 : boundedDrift * random.next(),
    clockStepMs: 2000,
    diskMinMs: 0,
    diskMaxMs: random.next() < 0.5 ? 2 : 15,
    slowDiskMs: 1200,
    reads: 0.5,
    locking: 0.15,
  };
}
