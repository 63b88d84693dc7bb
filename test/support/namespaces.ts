// A small network of machines on this one: each has a network namespace of its own, an address, and a cable to a
// common switch, which can be pulled. What a test has made is taken away again by `remove`.

import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";

import { isInstalled } from "./programs.ts";

/** Whether such networks can be made here; when not, says so loudly. */
export function canMakeNetworks(): boolean {
  if (!isInstalled("ip")) return false;
  const probe = `pc${process.pid}probe`;
  try {
    // Makes everything that is needed, and takes it away: rights alone do not tell.
    run("ip", "netns", "add", probe);
    run("ip", "netns", "exec", probe, "ip", "link", "set", "lo", "up");
    run("ip", "link", "add", probe.slice(0, 14), "type", "bridge");
    run("ip", "link", "del", probe.slice(0, 14));
    return true;
  } catch (failure) {
    console.warn(
      `\n!!! no network namespaces here, so NOTHING between hosts is tested: ${String(failure)}\n`,
    );
    return false;
  } finally {
    attempt("ip", "netns", "del", probe);
  }
}

export class HostNetwork {
  readonly #prefix: string;
  readonly #subnet: string;
  /** Ours, by which the test asks the hosts. */
  readonly #address: string;
  readonly #hosts: NetworkHost[] = [];
  readonly #mounts: string[] = [];

  constructor() {
    this.#prefix = `pc${process.pid.toString(36)}`;
    // Another test on this machine has another process, and so another subnet.
    this.#subnet = `10.${200 + (process.pid % 50)}.${Math.floor(process.pid / 50) % 250}`;
    // Not a private one: agents of other tests would find it beside this machine's own, and refuse to choose.
    this.#address = `198.51.100.${1 + (process.pid % 250)}`;
    run("ip", "link", "add", this.#switch, "type", "bridge");
    run("ip", "address", "add", `${this.#address}/32`, "dev", this.#switch);
    run("ip", "link", "set", this.#switch, "up");
    const to = ["dev", this.#switch, "src", this.#address];
    run("ip", "route", "add", `${this.#subnet}.0/24`, ...to);
  }

  get #switch(): string {
    return `${this.#prefix}b`;
  }

  add(): NetworkHost {
    const n = this.#hosts.length + 1;
    const host = new NetworkHost(`${this.#prefix}h${n}`, `${this.#subnet}.${n}`);
    this.#hosts.push(host);
    run("ip", "netns", "add", host.name);
    run(
      "ip",
      "link",
      "add",
      host.cable,
      "type",
      "veth",
      "peer",
      "name",
      "eth0",
      "netns",
      host.name,
    );
    run("ip", "link", "set", host.cable, "master", this.#switch, "up");
    host.run("ip", "address", "add", `${host.address}/24`, "dev", "eth0");
    host.run("ip", "link", "set", "eth0", "up");
    host.run("ip", "link", "set", "lo", "up");
    host.run("ip", "route", "add", this.#address, "dev", "eth0");
    return host;
  }

  /** A disk of its own, of `megabytes`, at `directory`. Before the host's processes start, or they do not see it. */
  mountDisk(directory: string, megabytes: number): void {
    mkdirSync(directory, { recursive: true });
    run("mount", "-t", "tmpfs", "-o", `size=${megabytes}m`, "tmpfs", directory);
    this.#mounts.push(directory);
  }

  /** After everything that ran on its hosts has ended. */
  remove(): void {
    for (const directory of this.#mounts.splice(0)) attempt("umount", "-l", directory);
    for (const host of this.#hosts.splice(0)) attempt("ip", "netns", "del", host.name);
    attempt("ip", "link", "del", this.#switch);
  }
}

export class NetworkHost {
  readonly name: string;
  readonly address: string;

  constructor(name: string, address: string) {
    this.name = name;
    this.address = address;
  }

  /** Our end of its cable. */
  get cable(): string {
    return `${this.name}c`;
  }

  /** What to put before a program so that it runs on this host, as the same process. */
  get command(): readonly string[] {
    return ["ip", "netns", "exec", this.name];
  }

  run(...command: readonly [string, ...string[]]): string {
    return run("ip", "netns", "exec", this.name, ...command);
  }

  /** Nothing goes in or out any more. */
  cut(): void {
    run("ip", "link", "set", this.cable, "down");
  }

  mend(): void {
    run("ip", "link", "set", this.cable, "up");
  }

  /** Sends a signal to every process of the host: SIGSTOP makes it hang, SIGCONT lets it go on. */
  signal(name: "SIGSTOP" | "SIGCONT"): void {
    for (const pid of run("ip", "netns", "pids", this.name).split("\n").filter(Boolean)) {
      process.kill(Number(pid), name);
    }
  }
}

function run(program: string, ...args: readonly string[]): string {
  return execFileSync(program, args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}

/** For taking away what may be gone already. */
function attempt(program: string, ...args: readonly string[]): void {
  try {
    run(program, ...args);
  } catch (failure) {
    console.warn(String(failure));
  }
}
