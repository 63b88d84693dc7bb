// Counts what the platform would bill: requests that reach objects, and rows they write.

import { runInDurableObject } from "cloudflare:test";
import { vi } from "vitest";

import {
  grossDollars,
  requestsPerMessage,
  secondsPerRequest,
  times,
  type Usage,
  usage,
} from "../../src/core/model/prices.ts";
import { Checker, EdgeAgent, LanPool, Server } from "../../src/index.ts";
import { edgeAgent, pool, server } from "./datacenter.ts";

const minutesPerMonth = 30 * 24 * 60;

export class Meter {
  #calls = 0;
  #messages = 0;
  #alarmsSet = 0;
  #rows = 0;
  #rowsRead = 0;
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
        // What it reads is known when it has been read.
        const { toArray } = cursor;
        cursor.toArray = () => {
          const rows = toArray.call(cursor);
          meter.#rowsRead += cursor.rowsRead;
          return rows;
        };
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
    this.#rowsRead = 0;
    this.#byName.clear();
  }

  /** Since the last reset. */
  usage(): Usage {
    return usage({
      objectRequests: this.#calls + this.#messages * requestsPerMessage,
      objectSeconds: (this.#calls + this.#messages) * secondsPerRequest,
      // Arming an alarm is a row, too.
      rowsWritten: this.#rows + this.#alarmsSet,
      rowsRead: this.#rowsRead,
    });
  }

  /** One line, with what a month at this rate would cost. */
  report(what: string, minutes: number): string {
    const used = this.usage();
    return (
      `${what}: ${used.objectRequests.toFixed(1)} object requests, ${used.rowsWritten} rows written, ` +
      `${used.rowsRead} read in ${minutes} min; $${grossDollars(monthOf(used, minutes)).toFixed(3)} a month ` +
      `before what the plan includes (${this.#details()})`
    );
  }

  /** What was counted, by object and path. */
  #details(): string {
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

/** A month of what was used in `minutes`. */
export function monthOf(used: Usage, minutes: number): Usage {
  return times(used, minutesPerMonth / minutes);
}

export function objects(): DurableObjectStub[] {
  return [server(0), server(1), server(2), pool(), edgeAgent()];
}
