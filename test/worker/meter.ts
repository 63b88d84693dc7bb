// Counts what the platform would bill: requests that reach objects, and rows they write.

import { runInDurableObject } from "cloudflare:test";
import { vi } from "vitest";

import { Checker, EdgeAgent, LanPool, Server } from "../../src/index.ts";
import { edgeAgent, pool, server } from "./datacenter.ts";

/** Prices of the paid plan, before anything that it includes (platform facts §4). */
const dollarsPerRequest = 0.15 / 1e6;
const dollarsPerRow = 1 / 1e6;
const dollarsPerGigabyteSecond = 12.5 / 1e6;
const gigabytesPerObject = 0.128;
/** Messages on sockets count as a twentieth of a request. */
const messagesPerRequest = 20;
/** What handling a request takes, generously. */
const secondsPerRequest = 0.02;
const minutesPerMonth = 30 * 24 * 60;

export interface Bill {
  requests: number;
  rows: number;
}

export class Meter {
  #calls = 0;
  #messages = 0;
  #alarmsSet = 0;
  #rows = 0;
  readonly #byName = new Map<string, number>();

  /** Meters every object of this test file from now on. */
  static async start(): Promise<Meter> {
    const meter = new Meter();
    for (const type of [Server, LanPool, EdgeAgent, Checker]) {
      meter.#count(type.prototype, "fetch", () => (meter.#calls += 1));
      meter.#count(type.prototype, "alarm", () => (meter.#calls += 1));
      meter.#count(type.prototype, "webSocketMessage", () => (meter.#messages += 1));
    }
    await runInDurableObject(server(0), (_instance, state) => {
      const { storage } = state;
      meter.#count(Object.getPrototypeOf(storage) as object, "setAlarm", () => {
        meter.#alarmsSet += 1;
      });
      const sql = Object.getPrototypeOf(storage.sql) as typeof storage.sql;
      const { exec } = sql;
      vi.spyOn(sql, "exec").mockImplementation(function (this: SqlStorage, ...args) {
        const cursor = exec.apply(this, args as never);
        meter.#rows += cursor.rowsWritten;
        return cursor;
      });
    });
    meter.reset();
    return meter;
  }

  reset(): void {
    this.#calls = 0;
    this.#messages = 0;
    this.#alarmsSet = 0;
    this.#rows = 0;
    this.#byName.clear();
  }

  bill(): Bill {
    return {
      requests: this.#calls + this.#messages / messagesPerRequest,
      // Arming an alarm is a row, too.
      rows: this.#rows + this.#alarmsSet,
    };
  }

  /** What was counted, by object and path. */
  details(): string {
    return [...this.#byName].map(([name, count]) => `${name} ×${count}`).join(", ");
  }

  #count(target: object, name: string, counted: () => void): void {
    const original = (target as Record<string, unknown>)[name] as
      | ((...args: unknown[]) => unknown)
      | undefined;
    if (!original) return;
    const meter = this.#byName;
    vi.spyOn(target as Record<string, () => unknown>, name).mockImplementation(function (
      this: unknown,
      ...args: unknown[]
    ) {
      counted();
      const label = `${(this as object).constructor.name}.${name} ${pathOf(args[0])}`;
      meter.set(label, (meter.get(label) ?? 0) + 1);
      return original.apply(this, args);
    });
  }
}

function pathOf(argument: unknown): string {
  return argument instanceof Request ? new URL(argument.url).pathname : "";
}

/** What a month would cost at the rate of `bill` in `minutes`, in dollars. */
export function dollarsPerMonth({ requests, rows }: Bill, minutes: number): number {
  const months = minutesPerMonth / minutes;
  const duration = requests * secondsPerRequest * gigabytesPerObject * dollarsPerGigabyteSecond;
  return (requests * dollarsPerRequest + rows * dollarsPerRow + duration) * months;
}

export function objects(): DurableObjectStub[] {
  return [server(0), server(1), server(2), pool(), edgeAgent()];
}
