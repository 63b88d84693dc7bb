// Runs in Node before tests that run in workerd: what is outside of them.

import type { TestProject } from "vitest/node";

import { serveOutside } from "./outside-server.ts";

declare module "vitest" {
  interface ProvidedContext {
    outsidePort: number;
  }
}

export default async function setup({ provide }: TestProject): Promise<() => void> {
  const { port, close } = await serveOutside();
  provide("outsidePort", port);
  return close;
}
