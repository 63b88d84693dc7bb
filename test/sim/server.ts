// One server: its durable image, its clock, its alarm and its instances. There is one current
// instance, or none while the server sleeps or is down, and perhaps superseded ones that have not
// noticed yet.

import type { Message } from "../../src/core/raft/types.ts";
import { Clock } from "./clock.ts";
import type { Operation, Outcome } from "./commands.ts";
import { DiskImage } from "./disk.ts";
import { Instance } from "./instance.ts";
import type { Surroundings } from "./surroundings.ts";

export class Server {
  readonly world: Surroundings<Instance>;
  readonly id: string;
  readonly clock: Clock;
  durable: DiskImage;
  current: Instance | null = null;
  twins: Instance[] = [];
  /** The process is not running, and nothing wakes it. */
  down = false;
  slowDiskUntil = 0;
  /** Newest commands that its code knows. */
  codeVersion = 1;
  #alarmLocalMs: number | null = null;
  #alarmToken = 0;

  constructor(world: Surroundings<Instance>, id: string, clock: Clock) {
    this.world = world;
    this.id = id;
    this.clock = clock;
    this.durable = new DiskImage(world.newMachine());
  }

  local(): number {
    return this.clock.local(this.world.queue.now);
  }

  diskLatencyMs(): number {
    const { options, random, queue } = this.world;
    const { diskMinMs, diskMaxMs, slowDiskMs } = options;
    if (queue.now < this.slowDiskUntil) return random.next() * slowDiskMs;
    return diskMinMs + random.next() * (diskMaxMs - diskMinMs);
  }

  /** The current instance, constructed if there is none; null while the server is down. */
  awake(): Instance | null {
    if (this.down) return null;
    if (this.current === null) {
      this.current = new Instance(this.world, this);
      this.note("constructed");
      if (this.durable.empty) this.world.bootstrap(this.current);
    }
    return this.current;
  }

  note(text: string): void {
    this.world.trace.line(this.world.queue.now, this.id, () => text);
  }

  deliver(message: Message): void {
    if (!("toIncarnation" in message)) {
      this.awake()?.receive(message);
      return;
    }
    const { toIncarnation } = message;
    const instance = [this.current, ...this.twins].find(
      (candidate) => candidate?.incarnation === toIncarnation,
    );
    (instance ?? this.current)?.receive(message);
  }

  request(
    operation: Operation,
    answer: (outcome: Outcome) => void,
    options: { leaderFailed: boolean; twin: boolean },
  ): void {
    const twin = options.twin ? this.twins[0] : undefined;
    const instance = twin ?? this.awake();
    if (instance === null) answer({ type: "redirect", leader: null });
    else instance.request(operation, answer, options);
  }

  // Ends of instances.

  /** Memory is lost; what was written but is not durable is lost too. */
  end(instance: Instance, why: string): void {
    instance.close();
    this.note(`ends: ${why}`);
    this.twins = this.twins.filter((twin) => twin !== instance);
    if (this.current !== instance) return;
    this.current = null;
    // A process is started again by its supervisor; an object sleeps until it is called.
    if (this.world.supervised && !this.down) this.startAfter(20);
  }

  crash(downMs: number): void {
    this.down = true;
    if (this.current !== null) this.end(this.current, `crash for ${Math.round(downMs)} ms`);
    this.world.queue.after(downMs, () => {
      this.down = false;
      if (this.world.supervised) this.start();
    });
  }

  start(): void {
    const instance = this.awake();
    instance?.pass((raft, now) => raft.tick(now));
  }

  startAfter(delayMs: number): void {
    this.world.queue.after(delayMs * (0.5 + this.world.random.next()), () => this.start());
  }

  /** Memory is lost at rest: everything written is durable. */
  hibernate(): void {
    const { current } = this;
    if (current === null || !current.idle) return;
    if (!this.world.supervised && !current.mayHibernate) return;
    this.end(current, "hibernates");
  }

  /** Runs other code from now on. */
  deploy(codeVersion: number): void {
    this.codeVersion = codeVersion;
    if (this.current !== null) this.end(this.current, `code ${codeVersion}`);
  }

  /** A new instance is constructed while the old one runs on. */
  supersede(forMs: number): void {
    const old = this.current;
    if (old === null) return;
    old.superseded = true;
    this.twins.push(old);
    this.current = null;
    this.note("superseded: the old instance runs on");
    this.start();
    this.world.queue.after(forMs, () => {
      if (!old.ended) this.end(old, "superseded instance is stopped");
    });
  }

  // The alarm: the one timer that outlives memory.

  armAlarm(localMs: number): void {
    if (this.#alarmLocalMs === localMs) return;
    this.#alarmLocalMs = localMs;
    const token = ++this.#alarmToken;
    const at = Math.max(this.clock.real(localMs), this.world.queue.now) + 0.001;
    this.world.queue.at(at, () => {
      if (token === this.#alarmToken) this.#alarm();
    });
  }

  #alarm(): void {
    this.#alarmLocalMs = null;
    if (this.down) {
      this.armAlarm(this.local() + 1000);
      return;
    }
    const asleep = this.current === null;
    this.note(asleep ? "alarm wakes it" : "alarm");
    this.awake()?.pass((raft, now) => (asleep ? raft.watchdog(now) : raft.tick(now)));
  }
}
