// What an instance and its server see of what is around them, so that neither needs to know the whole world.
// `Subject` is the class of instances.

import type { Random } from "../../src/core/lib/random.ts";
import type { Member, Message } from "../../src/core/raft/types.ts";
import type { Bug } from "./bug.ts";
import type { Clock } from "./clock.ts";
import type { DiskImage } from "./disk.ts";
import type { EventQueue } from "./event-queue.ts";
import type { SimStateMachine } from "./machine.ts";
import type { SimOptions } from "./options.ts";
import type { SafetyChecker } from "./safety-checker.ts";
import type { Trace } from "./trace.ts";

/** The world, as its servers and their instances see it. */
export interface Surroundings<Subject> {
  readonly random: Random;
  readonly options: SimOptions;
  readonly queue: EventQueue;
  readonly safety: SafetyChecker;
  readonly trace: Trace;
  readonly bug: Bug<Subject> | undefined;
  readonly supervised: boolean;
  newMachine(): SimStateMachine;
  member(id: string, voter: boolean): Member;
  bootstrap(instance: Subject): void;
  carry(message: Message): void;
}

/** A server, as its instances see it. */
export interface Home<Subject> {
  readonly id: string;
  readonly clock: Clock;
  readonly durable: DiskImage;
  readonly codeVersion: number;
  local(): number;
  diskLatencyMs(): number;
  note(text: string): void;
  end(instance: Subject, why: string): void;
  armAlarm(localMs: number): void;
}
