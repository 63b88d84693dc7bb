import { cloudflareTest } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";

/** Agents as people start them, each file after the other. */
const system = {
  environment: "node" as const,
  testTimeout: 60_000,
  hookTimeout: 60_000,
  fileParallelism: false,
};

const openToAll = {
  ...{ defaultPolicy: "allow", keyListPolicy: false },
  masterToken: "7a2f0f3c-63a5-4d0b-a2c2-6c1f8d1f9a10",
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
          include: ["test/{core,agent,bench,cli,deploy}/**/*.test.ts"],
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
        plugins: [
          cloudflareTest({
            wrangler: { configPath: "./wrangler.toml" },
            // Objects that let everybody do everything, unless a test says otherwise.
            miniflare: { bindings: { ANONYMOUS: true, ACL: openToAll } },
          }),
        ],
        test: {
          name: "worker",
          include: ["test/worker/**/*.test.ts"],
          testTimeout: 30_000,
          globalSetup: ["test/support/outside-setup.ts"],
        },
      },
      {
        plugins: [
          cloudflareTest({
            wrangler: { configPath: "./wrangler.toml" },
            miniflare: { bindings: { ...twoDatacenters, ANONYMOUS: true, ACL: openToAll } },
          }),
        ],
        test: {
          name: "datacenters",
          include: ["test/datacenters/**/*.test.ts"],
          testTimeout: 30_000,
        },
      },
      { test: { name: "ui", include: ["test/ui/{model,live}/**/*.test.ts"], environment: "node" } },
      {
        // Pages as people see them, in Debian's Chromium.
        test: { ...system, name: "ui-browser", include: ["test/ui/browser/**/*.test.ts"] },
      },
      { test: { ...system, name: "system", include: ["test/system/**/*.test.ts"] } },
      { test: { ...system, name: "deployed", include: ["test/deployed/**/*.test.ts"] } },
      {
        // The same on workerd, where servers run in a process of their own.
        test: {
          ...system,
          name: "system-workerd",
          include: ["test/system/**/*.test.ts"],
          // These name the runtime of each server themselves, and would only run twice.
          exclude: ["test/system/{auto-encrypt,tls,turmoil}.test.ts"],
          env: { PROCONSUL_RUNTIME: "workerd" },
        },
      },
    ],
  },
});
