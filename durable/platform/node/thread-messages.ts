// What an agent's thread and the thread of its servers say to each other.

import type { PeerTls } from "../../../src/link/peer-tls.ts";
import type { Settings } from "../settings.ts";

export interface ThreadOptions {
  stateDir: string;
  operatorDir: string | null;
  workerName: string;
  settings: Settings;
  tls: PeerTls | null;
}

export type ToServers =
  | { rpc: number; path: string; body: Uint8Array }
  | { open: number; pathAndQuery: string }
  | { frame: number; text: string | Uint8Array }
  | { lost: number }
  | { tls: PeerTls | null }
  | { stop: true };

export type FromServers =
  /** The servers run, or why they do not. */
  | { started: string | null }
  | { answer: number; status: number; body: Uint8Array | string }
  | { failure: number; text: string }
  | { frame: number; text: string }
  | { close: number; code: number; reason: string }
  | { level: "info" | "warn" | "error"; line: string };
