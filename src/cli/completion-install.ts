// Tells the shells of this user to ask this program for completions, by a line in the file that each reads at start,
// and takes it out again, as Consul's `-autocomplete-install` does.

import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { basename, dirname, join } from "node:path";

import { openError } from "../agent/go-reasons.ts";

/** bash reads the first of these that exists. */
const bashFiles = [".bashrc", ".bash_profile", ".bash_login", ".profile"] as const;

interface Shell {
  file: string;
  lines: string;
  /** The file holds nothing else. */
  isOwn: boolean;
}

/** Does it for every shell of this user. Gives back in Consul's words where it was not done, and why. */
export function changeCompletion(change: "install" | "uninstall"): string[] {
  const shells = shellsOf(homedir(), process.argv[1] ?? "");
  if (shells.length === 0) return [`Did not find any shells to ${change}`];
  return shells.flatMap((shell) => {
    try {
      return changeShell(shell, change) ?? [];
    } catch (failure) {
      return openError(shell.file, failure);
    }
  });
}

/** Null when it was done. Throws what the file system refuses. */
function changeShell(shell: Shell, change: "install" | "uninstall"): string | null {
  const isInstalled = read(shell.file).includes(shell.lines);
  if (isInstalled && change === "install") return `already installed in ${shell.file}`;
  if (!isInstalled && change === "uninstall") return `does not installed in ${shell.file}`;
  if (change === "install") install(shell);
  else uninstall(shell);
  return null;
}

function install({ file, lines }: Shell): void {
  const before = read(file);
  const gap = before === "" || before.endsWith("\n") ? "" : "\n";
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${before}${gap}${lines}`);
}

function uninstall({ file, lines, isOwn }: Shell): void {
  if (isOwn) rmSync(file);
  else writeFileSync(file, read(file).replace(lines, ""));
}

function read(file: string): string {
  return existsSync(file) ? readFileSync(file, "utf8") : "";
}

/** `script` is what Node runs: the launcher, or what it is a link to, unless somebody runs the sources. */
function shellsOf(home: string, script: string): Shell[] {
  const isSource = basename(script) === "main.ts";
  const program = isSource ? join(dirname(script), "proconsul.mjs") : script;
  const name = basename(program).replace(/\.mjs$/, "");
  const quoted = `'${program.replaceAll("'", String.raw`'\''`)}'`;
  // Where there is nothing to offer, bash goes on with names of files.
  const complete = `complete -o default -C ${quoted} ${name}\n`;
  const shells: Shell[] = [];
  const bash = bashFiles.map((file) => join(home, file)).find((file) => existsSync(file));
  if (bash !== undefined) shells.push({ file: bash, lines: complete, isOwn: false });
  const zsh = join(home, ".zshrc");
  if (existsSync(zsh)) {
    const lines = `autoload -U +X bashcompinit && bashcompinit\n${complete}`;
    shells.push({ file: zsh, lines, isOwn: false });
  }
  const fish = join(home, ".config", "fish");
  if (existsSync(fish)) {
    const file = join(fish, "completions", `${name}.fish`);
    shells.push({ file, lines: fishLines(name, quoted), isOwn: true });
  }
  return shells;
}

function fishLines(name: string, quoted: string): string {
  const call = `__complete_${name}`;
  return `function ${call}
    set -lx COMP_LINE (commandline -cp)
    test -z (commandline -ct); and set COMP_LINE "$COMP_LINE "
    ${quoted}
end
complete -c ${name} -a "(${call})"
`;
}
