// An HTTP server in a process of its own: what is registered, checked, and killed.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";

const source = `
  const server = require("node:http").createServer((_request, response) => response.end("hello"));
  server.listen(Number(process.argv[1]), "127.0.0.1", () => console.log("listening"));
`;

export class WebServer {
  readonly port: number;
  readonly #child: ChildProcess;

  private constructor(port: number, child: ChildProcess) {
    this.port = port;
    this.#child = child;
  }

  /** Resolves when it listens on `port`. */
  static async start(port: number): Promise<WebServer> {
    const child = spawn(process.execPath, ["-e", source, String(port)], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await once(child.stdout, "data");
    return new WebServer(port, child);
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/`;
  }

  /** kill -9. Resolves when it is gone; killing twice does no harm. */
  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const closed = once(this.#child, "close");
    this.#child.kill("SIGKILL");
    await closed;
  }
}
