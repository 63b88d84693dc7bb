// The web UI's files, made from its sources: by `npm run build`, and by an agent in a checkout that is asked for them.

import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

import type { BuildResult, Metafile } from "esbuild";

/** Contents by path below the UI's own: `index.html`, `assets/…`. */
export type UiFiles = ReadonlyMap<string, Uint8Array>;

const out = "/ui";

/** `folder`: of the sources. Nothing is written. Throws what esbuild throws. */
export async function bundleUi(folder: URL): Promise<UiFiles> {
  const { build, stop } = await import("esbuild");
  try {
    const result = await build({
      absWorkingDir: fileURLToPath(folder),
      entryPoints: { main: "main.tsx", worker: "live/worker.ts" },
      outdir: `${out}/assets`,
      entryNames: "[name]-[hash]",
      chunkNames: "part-[hash]",
      assetNames: "[name]-[hash]",
      bundle: true,
      splitting: true,
      format: "esm",
      // Chrome and Edge 123, Firefox 128, Safari 17.5: what has light-dark().
      target: ["chrome123", "firefox128", "safari17.5"],
      jsx: "automatic",
      jsxImportSource: "preact",
      minify: true,
      legalComments: "none",
      write: false,
      metafile: true,
      logLevel: "silent",
    });
    const template = await readFile(new URL("index.html", folder), "utf8");
    return filesOf(result, template);
  } finally {
    // Without this esbuild's service process stays as long as the agent does.
    await stop();
  }
}

function filesOf(
  { outputFiles, metafile }: BuildResult<{ write: false; metafile: true }>,
  template: string,
): UiFiles {
  const files = new Map<string, Uint8Array>();
  // Windows has other separators, and a drive.
  for (const { path, contents } of outputFiles) {
    const name = path.replaceAll("\\", "/");
    files.set(name.slice(name.indexOf("/assets/") + 1), contents);
  }
  const page = Object.entries(entriesOf(metafile)).reduce(
    (text, [name, file]) => text.replaceAll(`{${name}}`, `/ui/assets/${file}`),
    template,
  );
  files.set("index.html", new TextEncoder().encode(page));
  return files;
}

/** File names of what the page itself names. */
function entriesOf({ outputs }: Metafile): Record<"main" | "worker" | "style", string> {
  const found = (ending: string): [string, string | undefined] => {
    const output = Object.entries(outputs).find(([, { entryPoint }]) =>
      entryPoint?.endsWith(ending),
    );
    if (!output) throw new Error(`esbuild gave no output for ${ending}`);
    return [baseName(output[0]), output[1].cssBundle];
  };
  const [main, style] = found("main.tsx");
  const [worker] = found("live/worker.ts");
  if (style === undefined) throw new Error("esbuild gave no styles");
  return { main, worker, style: baseName(style) };
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
