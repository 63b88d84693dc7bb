// A deployment on this machine: the Worker in its deployed shape (closed, no host agent around it) in workerd, with TLS
// in front as Cloudflare has it.

import { randomBytes } from "node:crypto";
import { request as httpRequest } from "node:http";
import { createServer, type Server } from "node:https";
import { type AddressInfo, connect, type Socket } from "node:net";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { startRunner } from "../../src/agent/servers/workerd.ts";
import type { Runner } from "../../src/agent/servers/options.ts";
import type { JsonValue } from "../../src/core/model/json.ts";
import { eventually } from "./eventually.ts";
import { type Answer, type Ask, request, temporaryDirectory } from "./proconsul.ts";
import { endTogether } from "./sockets.ts";
import { type Authority, makeAuthority } from "./tls.ts";

export interface DeploymentOptions {
  datacenters?: Record<string, { servers: number }>;
  /** Beside what every deployment has. */
  vars?: Record<string, JsonValue>;
  /** Directory of static files, which the Worker never sees. */
  assets?: string;
}

const host = "127.0.0.1";

export class LocalDeployment {
  readonly secrets = {
    deploy: randomBytes(24).toString("hex"),
    key: randomBytes(32).toString("hex"),
  };
  /** Certificate of whoever vouches for {@link url}, as a file. */
  readonly caFile: string;
  /** What the Worker and its objects printed. */
  output = "";
  readonly #options: DeploymentOptions;
  readonly #stateDir = temporaryDirectory();
  readonly #front: Server;
  readonly #sockets = new Set<Socket>();
  #runner: Runner | null = null;

  private constructor(authority: Authority, options: DeploymentOptions) {
    this.#options = options;
    this.caFile = join(temporaryDirectory(), "ca.pem");
    writeFileSync(this.caFile, authority.pem);
    this.#front = this.#proxy(authority);
  }

  static async start(options: DeploymentOptions = {}): Promise<LocalDeployment> {
    const deployment = new LocalDeployment(await makeAuthority(), options);
    await deployment.#begin();
    await new Promise<void>((listening) => deployment.#front.listen(0, host, listening));
    return deployment;
  }

  get url(): string {
    return `https://${host}:${(this.#front.address() as AddressInfo).port}`;
  }

  /** For whoever trusts {@link caFile}. */
  get env(): NodeJS.ProcessEnv {
    return { NODE_EXTRA_CA_CERTS: this.caFile, CURL_CA_BUNDLE: this.caFile };
  }

  /** The first token's secret, once there is a leader. */
  async bootstrap(): Promise<string> {
    const headers = { "X-Proconsul-Secret": this.secrets.deploy };
    let made = "";
    await eventually(
      async () => {
        const answer = await this.ask("/v1/acl/bootstrap", { method: "PUT", headers });
        if (answer.status === 200) made = answer.json<{ SecretID: string }>().SecretID;
        return answer.status === 200;
      },
      { what: "the first token is made", limitMs: 20_000 },
    );
    return made;
  }

  /** Past the front, for a test's own process, which does not trust it. */
  async ask(path: string, { token, ...ask }: Ask & { token?: string } = {}): Promise<Answer> {
    const headers = { ...ask.headers, ...(token !== undefined && { "X-Consul-Token": token }) };
    return await request(`${this.plainUrl}${path}`, { ...ask, headers });
  }

  /**
   * What a deploy does to what runs: every object and every socket ends, and comes back with its storage. `vars`: what
   * this deploy sets besides.
   */
  async upgrade(vars: Record<string, JsonValue> = {}): Promise<void> {
    await this.#runner?.stop();
    await this.#begin(vars);
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((closed) => this.#front.close(closed));
    await this.#runner?.stop();
  }

  async #begin(more: Record<string, JsonValue> = {}): Promise<void> {
    const { datacenters = { dc1: { servers: 3 } }, vars = {} } = this.#options;
    this.#runner = await startRunner({
      stateDir: this.#stateDir,
      port: 0,
      sleeps: true,
      vars: {
        DEFAULT_DC: Object.keys(datacenters)[0] ?? "dc1",
        DATACENTERS: datacenters,
        DEPLOY_SECRET: this.secrets.deploy,
        KEY_SECRET: this.secrets.key,
        ...vars,
        ...more,
      },
      log: (line) => {
        this.output += `${line}\n`;
      },
    });
  }

  /** Says who asks, as Cloudflare does, and passes everything else on. */
  #proxy({ server }: Authority): Server {
    const front = createServer(server, (request, response) => {
      const { method, url: path = "/", headers } = request;
      const asset = assetAt(this.#options.assets, path);
      if (asset) {
        response.end(asset);
        return;
      }
      const passed = httpRequest(
        { host, port: this.#port, method, path, headers: told(headers, request.socket) },
        (answer) => {
          response.writeHead(answer.statusCode ?? 502, answer.headers);
          answer.pipe(response);
        },
      );
      passed.on("error", () => {
        // As Cloudflare answers while a Worker cannot be reached.
        if (!response.headersSent) response.writeHead(503, { "retry-after": "1" });
        response.end();
      });
      response.on("close", () => passed.destroy());
      request.pipe(passed);
    });
    front.on("upgrade", (request, socket: Socket, head) => {
      const { method, url: path, headers } = request;
      const upstream = connect(this.#port, host, () => {
        const lines = Object.entries(told(headers, socket)).map(
          ([name, value]) => `${name}: ${String(value)}`,
        );
        upstream.write(`${method} ${path} HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n`);
        upstream.write(head);
        upstream.pipe(socket).pipe(upstream);
      });
      endTogether(socket, upstream);
    });
    front.on("connection", (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on("close", () => this.#sockets.delete(socket));
    });
    return front;
  }

  /** The Worker itself, for programs that trust nobody but the system. */
  get plainUrl(): string {
    return `http://${host}:${this.#port}`;
  }

  get #port(): number {
    return this.#runner?.port ?? 0;
  }
}

/** Null when the path is none of a static file. */
function assetAt(directory: string | undefined, path: string): Buffer | null {
  if (directory === undefined || !/^(?:\/[\w-]+)+\.\w+$/.test(path)) return null;
  const file = join(directory, path);
  return existsSync(file) ? readFileSync(file) : null;
}

function told(
  headers: NodeJS.Dict<string | string[]>,
  socket: Socket,
): NodeJS.Dict<string | string[]> {
  return { ...headers, "cf-connecting-ip": socket.remoteAddress ?? "" };
}
