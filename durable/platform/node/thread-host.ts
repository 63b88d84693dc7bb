// The Node host in a thread beside the agent's: a commit that waits for the disk holds up the servers, which have to
// wait for it, but not the agent's DNS and HTTP. Each request costs two messages between the threads.

import { Worker } from "node:worker_threads";

import type { PeerTls } from "../../../src/link/peer-tls.ts";
import type { FrameCarrier } from "../host/host-socket.ts";
import type { SocketInput } from "../host/object-host.ts";
import type { Answer } from "../platform.ts";
import type { Settings } from "../settings.ts";
import { type ServerDoor, socketTarget } from "./server-door.ts";
import type { FromServers, ThreadOptions, ToServers } from "./thread-messages.ts";

type Log = (level: "info" | "warn" | "error", line: string) => void;

export class ThreadHost implements ServerDoor {
  readonly #worker: Worker;
  readonly #settings: Settings;
  readonly #log: Log;
  readonly #calls = new Map<number, PromiseWithResolvers<Answer>>();
  readonly #sockets = new Map<number, FrameCarrier>();
  readonly #started = Promise.withResolvers<void>();
  readonly #ended = Promise.withResolvers<void>();
  #next = 1;

  /** `program`: the file of the thread, thread-main.ts or what it was built to. */
  constructor(program: URL, options: ThreadOptions, log: Log) {
    this.#settings = options.settings;
    this.#log = log;
    // Node 22 would say on stderr that its SQLite is experimental.
    const execArgv = [...process.execArgv, "--disable-warning=ExperimentalWarning"];
    this.#worker = new Worker(program, { workerData: options, execArgv });
    this.#worker.on("message", (message: FromServers) => this.#received(message));
    this.#worker.on("error", (failure) => {
      const text = failure instanceof Error ? failure.stack : String(failure);
      this.#log("error", `the thread of the servers has ended: ${text}`);
      this.#over(failure);
    });
    this.#worker.on("exit", () => this.#over(new Error("the thread of the servers has ended")));
  }

  /** Resolves when it is over, by {@link stop} or by itself. */
  get ended(): Promise<void> {
    return this.#ended.promise;
  }

  /** Resolves when the servers run. Rejects when the storage cannot be used. */
  async start(): Promise<void> {
    await this.#started.promise;
  }

  /** Other certificates, from now on. */
  useTls(tls: PeerTls | null): void {
    this.#say({ tls });
  }

  rpc(path: string, body: Uint8Array): Promise<Answer> {
    const rpc = this.#next++;
    const call = Promise.withResolvers<Answer>();
    this.#calls.set(rpc, call);
    this.#say({ rpc, path, body });
    return call.promise;
  }

  refusal(path: string, query: string): Answer | null {
    const target = socketTarget(this.#settings, path, query);
    return "status" in target ? target : null;
  }

  open(pathAndQuery: string, carrier: FrameCarrier): SocketInput {
    const open = this.#next++;
    this.#sockets.set(open, carrier);
    this.#say({ open, pathAndQuery });
    return {
      received: (text) => this.#say({ frame: open, text }),
      lost: () => {
        if (this.#sockets.delete(open)) this.#say({ lost: open });
      },
    };
  }

  async stop(): Promise<void> {
    this.#say({ stop: true });
    await this.#ended.promise;
  }

  #say(message: ToServers): void {
    this.#worker.postMessage(message);
  }

  #received(message: FromServers): void {
    if ("answer" in message) {
      const { answer, status, body } = message;
      this.#take(answer)?.resolve({ status, body });
    } else if ("failure" in message) {
      this.#take(message.failure)?.reject(new Error(message.text));
    } else if ("frame" in message) this.#sockets.get(message.frame)?.send(message.text);
    else if ("close" in message) this.#closed(message);
    else if ("level" in message) this.#log(message.level, message.line);
    else if (message.started === null) this.#started.resolve();
    else this.#started.reject(new Error(message.started));
  }

  #closed({ close, code, reason }: Extract<FromServers, { close: number }>): void {
    const carrier = this.#sockets.get(close);
    this.#sockets.delete(close);
    carrier?.close(code, reason);
  }

  #take(id: number): PromiseWithResolvers<Answer> | undefined {
    const call = this.#calls.get(id);
    this.#calls.delete(id);
    return call;
  }

  #over(failure: unknown): void {
    const reason = failure instanceof Error ? failure : new Error(String(failure));
    this.#started.reject(reason);
    this.#started.promise.catch(() => undefined);
    for (const call of this.#calls.values()) call.reject(reason);
    this.#calls.clear();
    for (const carrier of this.#sockets.values()) carrier.close(1_001, "the servers have ended");
    this.#sockets.clear();
    this.#ended.resolve();
  }
}
