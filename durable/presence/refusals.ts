// Members that are not taken in: they are told why, and the log is told once for each name.

import { memberRefusedCode } from "../../src/link/protocol.ts";
import { sleep } from "../../src/ports/timers.ts";
import type { ObjectSocket, Platform } from "../platform/platform.ts";
import { memberOf } from "./pool-member.ts";

const refusalDelayMs = 50;
const refusedNamesMax = 1_024;
/** A close frame takes 123 bytes. */
const closeReasonLengthMax = 120;

export class Refusals {
  readonly #platform: Pick<Platform, "log" | "timers" | "waitUntil">;
  /** Names and ids of those who were refused, and logged. */
  readonly #refused = new Map<string, string>();

  constructor(platform: Pick<Platform, "log" | "timers" | "waitUntil">) {
    this.#platform = platform;
  }

  /** `holder`: id of the live member that has the name. */
  refuse(socket: ObjectSocket, holder: string): void {
    const { name, id, address } = memberOf(socket);
    const text = `member name "${name}" is held by the live member with id ${holder}`;
    // It goes on trying: one line for each name.
    if (this.#refused.get(name) !== id) {
      if (this.#refused.size >= refusedNamesMax) this.#refused.clear();
      this.#refused.set(name, id);
      this.#platform.log("warn", `refused ${id} (${address}): ${text}`);
    }
    // What a handshake is answered, an agent's WebSocket does not tell it; and before that answer is on its way,
    // workerd drops the close.
    const close = (): void => {
      socket.close(memberRefusedCode, text.slice(0, closeReasonLengthMax));
    };
    this.#platform.waitUntil(sleep(this.#platform.timers, refusalDelayMs).then(close));
  }
}
