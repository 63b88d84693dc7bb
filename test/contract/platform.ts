// What every host of the platform port must do alike: an object that tries everything, and what must come of it.

import type { LinkSocket } from "../../src/link/client.ts";
import { expect, test } from "vitest";

import {
  type Answer,
  type HostedObject,
  jsonAnswer,
  type ObjectSocket,
  type Platform,
  refusal,
  type SocketTerms,
  textOf,
} from "../../durable/platform/platform.ts";

export const probePing = "ping";
export const probePong = "pong";
const soonMs = 20;

/** Does what it is told by path, and writes down what happens to it. */
export class Probe implements HostedObject {
  readonly #platform: Platform;
  #armedMs: number | null = null;

  constructor(platform: Platform) {
    this.#platform = platform;
    platform.sql.exec(
      "CREATE TABLE IF NOT EXISTS happened (n INTEGER PRIMARY KEY, what TEXT NOT NULL) STRICT",
    );
    platform.sockets.autoAnswer(probePing, probePong);
    this.#note("constructed");
  }

  woke(armedAlarmMs: number | null): void {
    this.#armedMs = armedAlarmMs;
  }

  call(path: string, body: Uint8Array): Promise<Answer> {
    const text = textOf(body);
    const { sockets, timers, nowMs } = this.#platform;
    switch (path) {
      case "/happened":
        return Promise.resolve(jsonAnswer(this.#happened()));
      case "/note":
        this.#note(text);
        break;
      case "/arm":
        this.#platform.setAlarm(nowMs() + Number(text));
        break;
      case "/armed":
        return Promise.resolve(jsonAnswer(this.#armedMs));
      case "/timer":
        timers.set(() => this.#note("timer"), soonMs);
        break;
      case "/throw":
        throw new Error("planned");
      case "/abort":
        this.#platform.abort("planned", Number(text));
        break;
      case "/restart":
        this.#note(text);
        this.#platform.setAlarm(nowMs() + 60_000);
        this.#platform.restart("planned");
        break;
      case "/sockets":
        return Promise.resolve(
          jsonAnswer(
            sockets.list(text === "" ? undefined : text).map(({ attachment }) => attachment),
          ),
        );
      case "/pinged":
        return Promise.resolve(
          jsonAnswer(sockets.list().map(({ autoAnsweredMs }) => autoAnsweredMs !== null)),
        );
      case "/send":
        for (const socket of sockets.list()) socket.send(text);
        break;
      case "/close":
        for (const socket of sockets.list()) socket.close(4_000, "planned");
        break;
      case "/refuse":
        return Promise.resolve(refusal(503, "not now"));
      default:
        return Promise.resolve(refusal(404, "unknown"));
    }
    return Promise.resolve({ status: 204, body: "" });
  }

  connect(path: string, query: string): SocketTerms | Answer {
    if (path !== "/socket") return refusal(404, "no such socket");
    return { tag: query, attachment: { query } };
  }

  opened(socket: ObjectSocket): void {
    socket.send("opened");
  }

  message(socket: ObjectSocket, frame: string | Uint8Array): void {
    socket.attachment = { ...socket.attachment, last: textOf(frame) };
    socket.send(`echo ${textOf(frame)}`);
  }

  closed(): void {
    this.#note("closed");
  }

  alarm(): Promise<void> {
    const first = !this.#happened().includes("alarm");
    this.#note("alarm");
    return first ? Promise.reject(new Error("planned")) : Promise.resolve();
  }

  #note(what: string): void {
    this.#platform.sql.exec("INSERT INTO happened (what) VALUES (?)", what);
  }

  #happened(): string[] {
    return this.#platform.sql
      .exec<{ what: string }>("SELECT what FROM happened ORDER BY n")
      .map(({ what }) => what);
  }
}

/** One probe on some host. */
export interface ProbeHost {
  call(path: string, body?: string): Promise<Answer>;
  connect(pathAndQuery: string): Promise<LinkSocket>;
  /** Takes its memory away; sockets stay open. */
  forget(): Promise<void>;
  /** Lets the alarm fire that is armed next. */
  fireAlarm(): Promise<void>;
  /** Lets some time pass. */
  pass(durationMs: number): Promise<void>;
  stop(): Promise<void>;
}

async function happened(host: ProbeHost): Promise<string[]> {
  return JSON.parse(textOf((await host.call("/happened")).body)) as string[];
}

async function json(host: ProbeHost, path: string, body = ""): Promise<unknown> {
  return JSON.parse(textOf((await host.call(path, body)).body));
}

function listen(socket: LinkSocket): { frames: string[]; closed: () => boolean } {
  const frames: string[] = [];
  let closed = false;
  socket.addEventListener("message", ({ data }) => frames.push(String(data)));
  socket.addEventListener("close", () => {
    closed = true;
  });
  socket.accept?.();
  return { frames, closed: () => closed };
}

type Case = readonly [title: string, body: (host: ProbeHost) => Promise<void>];

const cases: readonly Case[] = [
  [
    "a call is answered with what the object says, refusals too",
    async (host) => {
      expect((await host.call("/note", "a")).status).toBe(204);
      const refused = await host.call("/refuse");
      expect([refused.status, textOf(refused.body)]).toEqual([503, "not now"]);
      expect(await happened(host)).toEqual(["constructed", "a"]);
    },
  ],
  [
    "what an object throws reaches the caller, and the object goes on with its memory",
    async (host) => {
      await expect(host.call("/throw")).rejects.toThrow(/planned/);
      expect(await happened(host)).toEqual(["constructed"]);
    },
  ],
  [
    "an object that aborts is constructed again, and keeps what was written before",
    async (host) => {
      await host.call("/note", "kept");
      await expect(host.call("/abort")).rejects.toThrow(/\S/);
      expect(await happened(host)).toEqual(["constructed", "kept", "constructed"]);
    },
  ],
  [
    "an object that restarts keeps what it wrote in the same turn, and nothing else reaches it",
    async (host) => {
      const restarted = host.call("/restart", "kept");
      const next = happened(host);
      await expect(restarted).rejects.toThrow(/\S/);
      // Whoever came in between may have been refused.
      await next.catch(() => undefined);
      expect(await happened(host)).toEqual(["constructed", "kept", "constructed"]);
      expect(await json(host, "/armed")).toEqual(expect.any(Number));
    },
  ],
  [
    "an object that rests is not constructed, and nothing reaches it, before its time",
    async (host) => {
      await expect(host.call("/abort", String(soonMs * 10))).rejects.toThrow(/\S/);
      await expect(host.call("/note", "too early")).rejects.toThrow(/rests/);
      await expect(host.connect("/socket?early")).rejects.toThrow(/503/);
      await host.pass(soonMs * 10);
      await host.call("/note", "in time");
      expect(await happened(host)).toEqual(["constructed", "constructed", "in time"]);
    },
  ],
  [
    "timers run, unless the memory that set them is gone",
    async (host) => {
      await host.call("/timer");
      await host.pass(soonMs * 10);
      expect(await happened(host)).toEqual(["constructed", "timer"]);
      await host.call("/timer");
      await host.call("/abort").catch(() => undefined);
      await host.pass(soonMs * 10);
      expect(await happened(host)).toEqual(["constructed", "timer", "constructed"]);
    },
  ],
  [
    "an alarm survives the loss of memory, tells its time, and is tried again when it fails",
    async (host) => {
      await host.call("/arm", "60000");
      await host.forget();
      expect(await json(host, "/armed")).toEqual(expect.any(Number));
      await host.call("/arm", "0");
      await host.fireAlarm();
      await host.fireAlarm();
      const alarms = (await happened(host)).filter((what) => what === "alarm");
      expect(alarms).toHaveLength(2);
    },
  ],
  [
    "sockets are found by tag, and refused where the object refuses",
    async (host) => {
      await expect(host.connect("/elsewhere")).rejects.toThrow(/404/);
      listen(await host.connect("/socket?one"));
      listen(await host.connect("/socket?two"));
      expect(await json(host, "/sockets", "one")).toEqual([{ query: "one" }]);
      expect(await json(host, "/sockets")).toHaveLength(2);
      expect(await json(host, "/sockets", "three")).toEqual([]);
    },
  ],
  [
    "sockets and their attachments outlive the memory of the object",
    async (host) => {
      const socket = await host.connect("/socket?one");
      const far = listen(socket);
      socket.send("before");
      await host.pass(soonMs);
      await host.forget();
      expect(await json(host, "/sockets")).toEqual([{ query: "one", last: "before" }]);
      socket.send("after");
      await host.pass(soonMs);
      expect(far.frames).toEqual(["opened", "echo before", "echo after"]);
      expect(far.closed()).toBe(false);
    },
  ],
  [
    "pings are answered without waking the object, and leave a trace",
    async (host) => {
      const socket = await host.connect("/socket?one");
      const far = listen(socket);
      await host.pass(soonMs);
      expect(await json(host, "/pinged")).toEqual([false]);
      await host.forget();
      const before = (await happened(host)).length;
      await host.forget();
      socket.send(probePing);
      await host.pass(soonMs);
      expect(far.frames).toEqual(["opened", probePong]);
      // Only the question itself has constructed it.
      expect(await happened(host)).toHaveLength(before + 1);
      expect(await json(host, "/pinged")).toEqual([true]);
    },
  ],
  [
    "either end may close, and the other one hears of it",
    async (host) => {
      const [here, there] = [await host.connect("/socket?one"), await host.connect("/socket?two")];
      const [first, second] = [listen(here), listen(there)];
      await host.pass(soonMs);
      here.close(1_000, "done");
      await host.pass(soonMs);
      expect(await happened(host)).toEqual(["constructed", "closed"]);
      expect(await json(host, "/sockets")).toEqual([{ query: "two" }]);
      await host.call("/close");
      await host.pass(soonMs);
      expect([first.closed(), second.closed()].at(-1)).toBe(true);
      expect(await json(host, "/sockets")).toEqual([]);
    },
  ],
  [
    "an object that aborts loses its sockets",
    async (host) => {
      const far = listen(await host.connect("/socket?one"));
      await host.pass(soonMs);
      await host.call("/abort").catch(() => undefined);
      await host.pass(soonMs);
      expect(far.closed()).toBe(true);
      expect(await json(host, "/sockets")).toEqual([]);
    },
  ],
];

export function platformContract(name: string, start: () => Promise<ProbeHost>): void {
  test.each(cases)(`platform on ${name}: %s`, async (_title, body) => {
    expect.hasAssertions();
    const host = await start();
    try {
      await body(host);
    } finally {
      await host.stop();
    }
  });
}
