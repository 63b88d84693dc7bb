// An object as Cloudflare keeps it: once nothing runs in it, no timer is pending and nothing has happened for a while,
// its memory is gone, and the next event constructs it again.

import type {
  Answer,
  HostedObject,
  ObjectSocket,
  Platform,
  SocketTerms,
} from "../../../durable/platform/platform.ts";
import type { TimerHandle, Timers } from "../../../src/ports/timers.ts";

export interface Hibernation {
  construct(platform: Platform): HostedObject;
  /** Takes the memory. */
  sleep(): void;
}

export class HibernatingObject implements HostedObject {
  readonly #timers: Timers;
  readonly #idleMs: number;
  readonly #sleep: () => void;
  readonly #object: HostedObject;
  /** Events, timers and work that keep it awake. */
  #holds = 0;
  #idleTimer: TimerHandle = null;

  constructor(platform: Platform, idleMs: number, { construct, sleep }: Hibernation) {
    this.#timers = platform.timers;
    this.#idleMs = idleMs;
    this.#sleep = sleep;
    this.#object = construct(this.#watched(platform));
    this.#rest();
  }

  #watched(platform: Platform): Platform {
    const pending = new Map<object, TimerHandle>();
    return {
      ...platform,
      timers: {
        set: (run, delayMs) => {
          const key = {};
          const inner = platform.timers.set(() => {
            pending.delete(key);
            this.#during(run, () => this.#release());
          }, delayMs);
          pending.set(key, inner);
          this.#hold();
          return key;
        },
        clear: (handle) => {
          const inner = handle === null ? undefined : pending.get(handle as object);
          if (inner === undefined) return;
          pending.delete(handle as object);
          platform.timers.clear(inner);
          this.#release();
        },
      },
      waitUntil: (work) => {
        this.#hold();
        void work.catch(() => undefined).finally(() => this.#release());
        platform.waitUntil(work);
      },
    };
  }

  woke(armedAlarmMs: number | null): void {
    this.#object.woke(armedAlarmMs);
  }

  async call(path: string, body: Uint8Array): Promise<Answer> {
    return await this.#while(() => this.#object.call(path, body));
  }

  connect(path: string, query: string): SocketTerms | Answer {
    return this.#object.connect(path, query);
  }

  opened(socket: ObjectSocket): void {
    this.#hold();
    this.#during(
      () => this.#object.opened(socket),
      () => this.#release(),
    );
  }

  async message(socket: ObjectSocket, frame: string | Uint8Array): Promise<void> {
    await this.#while(async () => await this.#object.message(socket, frame));
  }

  closed(socket: ObjectSocket): void {
    this.#hold();
    this.#during(
      () => this.#object.closed(socket),
      () => this.#release(),
    );
  }

  async alarm(): Promise<void> {
    await this.#while(() => this.#object.alarm());
  }

  async #while<Result>(event: () => Promise<Result>): Promise<Result> {
    this.#hold();
    try {
      return await event();
    } finally {
      this.#release();
    }
  }

  #during(event: () => void, after: () => void): void {
    try {
      event();
    } finally {
      after();
    }
  }

  #hold(): void {
    this.#holds += 1;
    this.#timers.clear(this.#idleTimer);
    this.#idleTimer = null;
  }

  #release(): void {
    this.#holds -= 1;
    if (this.#holds === 0) this.#rest();
  }

  #rest(): void {
    this.#timers.clear(this.#idleTimer);
    // The constructor has set timers perhaps.
    if (this.#holds > 0) return;
    this.#idleTimer = this.#timers.set(this.#sleep, this.#idleMs);
  }
}
