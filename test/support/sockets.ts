import type { Socket } from "node:net";

/** Neither of two sockets that carry one connection outlives the other. */
export function endTogether(left: Socket, right: Socket): void {
  for (const [end, other] of [
    [left, right],
    [right, left],
  ] as const) {
    end.on("error", () => other.destroy());
    end.on("close", () => other.destroy());
  }
}
