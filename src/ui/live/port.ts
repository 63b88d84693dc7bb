// What pages and the worker that asks for all of them say to each other.

/** Pages before panels, panels before what stands in the frame. */
export type Priority = 0 | 1 | 2;

export interface Ask {
  /** Below the API's root, with its query: `v1/health/service/web?dc=dc1`. */
  path: string;
  /** "" for none. */
  token: string;
  priority: Priority;
  /** The body is a list of rows whose member of this name is unique: only rows that changed are sent. */
  rowKey?: string;
  /** For what cannot be waited for: asked again after so long. */
  pollMs?: number;
}

export type ToWorker =
  /** Everything that a tab shows, by the tab's own ids; what is not in it is let go. */
  | { kind: "want"; root: string; asks: Readonly<Record<string, Ask>> }
  /** Nobody looks at the tab, or it is paused: nothing is asked for it. */
  | { kind: "rest" }
  | { kind: "retry" }
  | { kind: "alive" }
  | { kind: "bye" };

export type Phase = "loading" | "ready" | "denied" | "missing" | "failed";

export interface Failure {
  /** 0: there was no answer. */
  status: number;
  text: string;
}

export interface Standing {
  phase: Phase;
  /** When the API last answered; 0: never. */
  contactMs: number;
  /** Null while all is well. */
  failure: Failure | null;
  /** Since when it fails; 0 while all is well. */
  failingMs: number;
  /** The token hides some rows. */
  isFiltered: boolean;
}

/** How a body differs from the one that was sent before; the first is sent as differing from nothing. */
export type Patch =
  | { kind: "same" }
  | { kind: "whole"; body: unknown }
  /** `order`: all keys, where they or their order changed. */
  | { kind: "rows"; order: readonly string[] | null; changed: readonly unknown[] };

export interface ToPage {
  id: string;
  standing: Standing;
  patch: Patch;
}
