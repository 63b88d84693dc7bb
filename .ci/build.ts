// `npm run build [DIRECTORY]`: dist/ for hosts. The launcher, a file for agent and CLI, one for the thread of servers,
// what only some commands load in chunks beside them, the typed client, the Worker's bundle, the web
// UI, and the guard script.

import { execFileSync } from "node:child_process";
import { chmod, copyFile, mkdir, rm, writeFile } from "node:fs/promises";

import { build } from "esbuild";

import { bundleUi } from "../src/agent/ui/bundle.ts";
import { headersFile } from "../src/ui-files.ts";
import { bundleFromSource } from "../src/agent/servers/worker-bundle.ts";

const [, , dist = "dist"] = process.argv;

await rm(dist, { recursive: true, force: true });
await mkdir(dist, { recursive: true });
await build({
  entryPoints: [
    { in: "src/cli/main.ts", out: "main" },
    { in: "durable/platform/node/thread-main.ts", out: "servers" },
  ],
  outdir: dist,
  outExtension: { ".js": ".mjs" },
  bundle: true,
  // What is imported when it is needed stays apart: a client agent loads no server, and no SQLite, which warns.
  splitting: true,
  chunkNames: "part-[hash]",
  format: "esm",
  platform: "node",
  target: "node22.18",
  minify: true,
  legalComments: "none",
  // Found in node_modules of the host, and loaded only by those who need them.
  external: ["miniflare", "workerd", "esbuild"],
  // What is CommonJS in the bundle asks for Node's own modules by this name.
  banner: {
    js:
      'import { createRequire as proconsulRequire } from "node:module"; ' +
      "const require = proconsulRequire(import.meta.url);",
  },
  logLevel: "warning",
});
// The client of docs/client.md runs wherever fetch does, and its declarations are the compiler's.
await build({
  entryPoints: ["src/client/index.ts"],
  outfile: `${dist}/client.mjs`,
  bundle: true,
  format: "esm",
  target: "es2024",
  logLevel: "warning",
});
if (dist === "dist") {
  execFileSync("node_modules/.bin/tsc", ["-b", "tsconfig.node.json"], { stdio: "inherit" });
}
await writeFile(
  `${dist}/worker.js`,
  await bundleFromSource(new URL("../src/index.ts", import.meta.url)),
);
const files = await bundleUi(new URL("../src/ui/", import.meta.url));
await mkdir(`${dist}/public/ui/assets`, { recursive: true });
await writeFile(`${dist}/public/_headers`, headersFile());
await Promise.all(
  [...files].map(([name, contents]) => writeFile(`${dist}/public/ui/${name}`, contents)),
);
await copyFile("src/cli/proconsul.mjs", `${dist}/proconsul.mjs`);
await copyFile("src/agent/servers/workerd-guard.sh", `${dist}/workerd-guard.sh`);
await Promise.all(
  ["proconsul.mjs", "workerd-guard.sh"].map((file) => chmod(`${dist}/${file}`, 0o755)),
);
console.log(`built ${dist}/proconsul.mjs and ${dist}/worker.js`);
