// A typed client of the HTTP API, for whoever writes TypeScript: docs/client.md. Its types are those of the document at
// /v1/openapi.json, because both follow from the same descriptions.

import { answerOf, send } from "./request.ts";
import type { ClientOptions, Parts } from "./request.ts";
import type {
  Answer,
  Asking,
  BarePathsOf,
  Endless,
  Indexed,
  Method,
  Parameters,
  PathsOf,
  QueryAt,
  Refusal,
} from "./types.ts";
import { watched } from "./watch.ts";

export type { ClientOptions } from "./request.ts";
export type { Answer, Body, Meta, Parameters, Refusal, Success } from "./types.ts";

export interface ConsulClient {
  get: Caller<"GET">;
  put: Caller<"PUT">;
  post: Caller<"POST">;
  delete: Caller<"DELETE">;
  /**
   * The answer now, and whenever there is another one, by blocking queries. Ends with a refusal, or when the signal
   * aborts; rejects as `fetch` does where there is no answer.
   */
  watch: Watcher;
  /** An answer without an end. */
  stream<const Path extends PathsOf<"GET", Endless>>(
    path: Path,
    given?: Parameters<Path, "GET">,
  ): Promise<ReadableStream<Uint8Array> | Refusal<undefined>>;
}

/** Resolves to a refusal where there is one; rejects as `fetch` does where there is no answer. */
export interface Caller<Of extends Method> {
  <const Path extends BarePathsOf<Of>>(path: Path): Promise<Answer<Path, Of>>;
  <const Path extends PathsOf<Of>, const Query extends QueryAt<Path, Of> = never>(
    path: Path,
    given: Asking<Path, Of, Query>,
  ): Promise<Answer<Path, Of, Query>>;
}

export interface Watcher {
  <const Path extends BarePathsOf<"GET", Indexed>>(path: Path): Answers<Path, never>;
  <const Path extends PathsOf<"GET", Indexed>, const Query extends QueryAt<Path, "GET"> = never>(
    path: Path,
    given: Asking<Path, "GET", Query>,
  ): Answers<Path, Query>;
}

type Answers<Path, Query> = AsyncGenerator<Answer<Path, "GET", Query>, void, void>;

export function createClient(options: ClientOptions): ConsulClient {
  const ask = async (method: Method, path: string, given: Parts = {}) =>
    await answerOf(await send(options, method, path, given));
  const caller = <Of extends Method>(method: Of) =>
    ((path: string, given?: Parts) => ask(method, path, given)) as unknown as Caller<Of>;
  return {
    get: caller("GET"),
    put: caller("PUT"),
    post: caller("POST"),
    delete: caller("DELETE"),
    watch: ((path: string, given?: Parts) =>
      watched((parts) => ask("GET", path, parts), given)) as unknown as ConsulClient["watch"],
    stream: async (path, given) => {
      const response = await send(options, "GET", path, given ?? {});
      if (response.ok && response.body) return response.body;
      return { ...(await answerOf(response)), ok: false, text: "no stream" } as Refusal<undefined>;
    },
  };
}
