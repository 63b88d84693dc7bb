// The web UI over an API that says what a test wants: answers, refusals, silence.

import { createServer } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

import { bundleUi } from "../../../src/agent/ui/bundle.ts";
import type { UiFiles } from "../../../src/agent/ui/bundle.ts";
import { ownUi } from "../../../src/agent/ui/answers.ts";

export interface Reply {
  status?: number;
  body?: unknown;
  headers?: Record<string, string>;
}

/** What is answered at a path below `/v1/`; "silent": nothing, ever. */
export type Answers = (path: string, query: URLSearchParams) => Reply | "silent";

let files: Promise<UiFiles> | null = null;

export class Site {
  /** Everything that was asked of the API. */
  readonly asked: { url: string; token: string }[] = [];
  answers: Answers;
  #index = 1;
  #waiting: (() => void)[] = [];
  readonly #server: Server;

  private constructor(server: Server, answers: Answers) {
    this.#server = server;
    this.answers = answers;
  }

  static async start(answers: Answers): Promise<Site> {
    files ??= bundleUi(new URL("../../../src/ui/", import.meta.url));
    const ui = ownUi(await files, "/ui/");
    const server = createServer((request, response) => {
      const url = new URL(request.url ?? "/", "http://site");
      if (url.pathname.startsWith("/v1/")) {
        site.#answer(request, response, url);
        return;
      }
      const headers = new Headers({ "Accept-Encoding": request.headers["accept-encoding"] ?? "" });
      void ui(new Request(url, { headers }), url.pathname.replace(/^\/ui\//, "")).then(
        async (answer) => {
          response.writeHead(answer.status, Object.fromEntries(answer.headers));
          response.end(new Uint8Array(await answer.arrayBuffer()));
        },
      );
    });
    const site = new Site(server, answers);
    await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
    return site;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Tells everybody who waits that there is something new. */
  change(answers: Answers = this.answers): void {
    this.answers = answers;
    this.#index += 1;
    for (const wake of this.#waiting.splice(0)) wake();
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((closed) => this.#server.close(closed));
  }

  #answer(request: IncomingMessage, response: ServerResponse, url: URL): void {
    const token = String(request.headers["x-consul-token"] ?? "");
    this.asked.push({ url: url.pathname + url.search, token });
    const reply = (): void => {
      const answer = this.answers(url.pathname.slice("/v1/".length), url.searchParams);
      if (answer === "silent") return;
      const { status = 200, body = null, headers = {} } = answer;
      const isText = status !== 200;
      response.writeHead(status, {
        "Content-Type": isText ? "text/plain" : "application/json",
        "X-Consul-Index": String(this.#index),
        ...headers,
      });
      response.end(isText ? String(body) : JSON.stringify(body));
    };
    if (url.searchParams.get("index") === String(this.#index)) this.#waiting.push(reply);
    else reply();
  }
}
