// The token that requests show. It is kept for this tab, asked of sibling tabs when there is none, and never put into
// an address, a log, or a command line.

import { signal } from "@preact/signals";
import type { ReadonlySignal } from "@preact/signals";

import { keep, readKept } from "./kept.ts";

const name = "proconsul.token";
const held = signal(readKept("sessionStorage", name));

/** "" for none. */
export const token: ReadonlySignal<string> = held;

type Message = { kind: "ask" } | { kind: "token"; token: string } | { kind: "out" };

const siblings =
  typeof BroadcastChannel === "function" ? new BroadcastChannel("proconsul.token") : null;

siblings?.addEventListener("message", ({ data }: MessageEvent<Message>) => {
  if (data.kind === "ask" && held.value !== "") tell({ kind: "token", token: held.value });
  if (data.kind === "token" && held.value === "") take(data.token);
  if (data.kind === "out") take("");
});
if (held.value === "") tell({ kind: "ask" });

export function signIn(secret: string): void {
  take(secret.trim());
}

/** Of all tabs. */
export function signOut(): void {
  take("");
  tell({ kind: "out" });
}

function take(secret: string): void {
  held.value = secret;
  keep("sessionStorage", name, secret);
}

function tell(message: Message): void {
  siblings?.postMessage(message);
}
