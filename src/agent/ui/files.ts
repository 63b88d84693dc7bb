// Where the web UI's files come from: those beside the installed bundle, or, in a checkout, made from the sources.

import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { bundleUi, type UiFiles } from "./bundle.ts";

/** Throws when neither a bundle nor the sources are there. */
export async function uiFiles(): Promise<UiFiles> {
  const built = await readFolder(fileURLToPath(new URL("./public/ui/", import.meta.url)));
  return built ?? (await bundleUi(new URL("../../ui/", import.meta.url)));
}

/** Everything below a folder by its path there; null when there is none. */
async function readFolder(folder: string): Promise<UiFiles | null> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => null);
  if (!entries) return null;
  const files = entries.filter((entry) => entry.isFile());
  return new Map(
    await Promise.all(
      files.map(async ({ parentPath, name }): Promise<[string, Uint8Array]> => {
        const path = join(parentPath, name);
        return [path.slice(folder.length).replaceAll("\\", "/"), await readFile(path)];
      }),
    ),
  );
}
