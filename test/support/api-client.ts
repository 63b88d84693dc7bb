// The API over a memory cluster, called without a socket.

import { createApi } from "../../src/api/index.ts";
import type { ApiDependencies } from "../../src/api/index.ts";
import { MemoryCluster, type MemoryClusterOptions } from "./memory-cluster.ts";

export interface Answer {
  status: number;
  text: string;
  headers: Headers;
  /** The body as JSON; undefined when it is none. */
  json: unknown;
}

export class ApiClient {
  readonly cluster: MemoryCluster;
  readonly errors: unknown[] = [];
  readonly #app;
  #uuids = 0;

  constructor(overrides: Partial<ApiDependencies> = {}, options: MemoryClusterOptions = {}) {
    this.cluster = new MemoryCluster(options);
    this.#app = createApi({
      cluster: this.cluster,
      nodeName: "self",
      random: () => 0,
      uuid: () => `00000000-0000-0000-0000-${String(++this.#uuids).padStart(12, "0")}`,
      onError: (error) => this.errors.push(error),
      ...overrides,
    });
  }

  async send(
    method: string,
    path: string,
    options: {
      body?: string | object;
      headers?: Record<string, string>;
      signal?: AbortSignal;
    } = {},
  ): Promise<Answer> {
    const { body, headers = {}, signal } = options;
    const request = new Request(`http://localhost${path}`, {
      method,
      headers,
      ...(body !== undefined && { body: typeof body === "string" ? body : JSON.stringify(body) }),
      ...(signal && { signal }),
    });
    const response = await this.#app.fetch(request);
    const text = await response.text();
    return { status: response.status, text, headers: response.headers, json: parsed(text) };
  }

  /** The same for bodies that are no text. */
  async fetchBytes(
    method: string,
    path: string,
    headers: Record<string, string> = {},
    body?: Uint8Array,
  ): Promise<{ status: number; headers: Headers; body: Uint8Array }> {
    const response = await this.#app.fetch(
      new Request(`http://localhost${path}`, {
        ...{ method, headers },
        ...(body && { body: new Uint8Array(body) }),
      }),
    );
    const answered = new Uint8Array(await response.arrayBuffer());
    return { status: response.status, headers: response.headers, body: answered };
  }

  async get(path: string, headers?: Record<string, string>): Promise<Answer> {
    return await this.send("GET", path, headers ? { headers } : {});
  }

  async put(path: string, body: string | object = ""): Promise<Answer> {
    return await this.send("PUT", path, { body });
  }

  async delete(path: string): Promise<Answer> {
    return await this.send("DELETE", path);
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
