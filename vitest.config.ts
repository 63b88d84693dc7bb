import { cloudflareTest } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";

/** Agents as people start them, each file after the other. */
const system = {
  environment: "node" as const,
  testTimeout: 60_000,
  hookTimeout: 60_000,
  fileParallelism: false,
};

/** The deployment's datacenter, and another one. */
const twoDatacenters = {
  DATACENTERS: { dc1: { servers: 3 }, dc2: { servers: 1 } },
  ACL: {
    defaultPolicy: "allow",
    keyListPolicy: false,
    masterToken: "c0ffee00-0000-4000-8000-000000000001",
  },
  CONNECT: { config: {} },
};

export default defineConfig({
  test: {
    projects: [
      { test: { name: "rules", include: ["test/*.test.ts"], environment: "node" } },
      {
        test: {
          name: "core",
          include: ["test/{core,agent,bench,cli}/**/*.test.ts"],
          environment: "node",
        },
      },
      { test: { name: "fuzz", include: ["test/fuzz/**/*.test.ts"], environment: "node" } },
      {
        test: {
          name: "sim",
          include: ["test/sim/**/*.test.ts"],
          environment: "node",
          testTimeout: 120_000,
        },
      },
      {
        plugins: [cloudflareTest({ wrangler: { configPath: "./wrangler.toml" } })],
        test: { name: "worker", include: ["test/worker/**/*.test.ts"], testTimeout: 30_000 },
      },
      {
        plugins: [
          cloudflareTest({
            wrangler: { configPath: "./wrangler.toml" },
            miniflare: { bindings: twoDatacenters },
          }),
        ],
        test: {
          name: "datacenters",
          include: ["test/datacenters/**/*.test.ts"],
          testTimeout: 30_000,
        },
      },
      { test: { ...system, name: "system", include: ["test/system/**/*.test.ts"] } },
      {
        // The same on workerd, where servers run in a process of their own.
        test: {
          ...system,
          name: "system-workerd",
          include: ["test/system/**/*.test.ts"],
          env: { PROCONSUL_RUNTIME: "workerd" },
        },
      },
    ],
  },
});
