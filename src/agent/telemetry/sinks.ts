// Where metrics are sent as they happen: statsd by UDP, statsite by TCP, dogstatsd with tags, in the forms of Consul's
// metrics library. Nobody waits for a sink: what it cannot take is lost.

import { createSocket, type Socket } from "node:dgram";
import { connect, isIPv6, type Socket as TcpSocket } from "node:net";

export type Kind = "gauge" | "counter" | "sample";
export type Labels = Readonly<Record<string, string>>;

export interface Told {
  kind: Kind;
  /** With the host in it where gauges have one. */
  name: string;
  /** Without the host. */
  plainName: string;
  value: number;
  labels: Labels;
  /** How many values this one stands for. */
  count: number;
}

export interface Sink {
  tell(metric: Told): void;
  stop(): void;
}

export interface SinkParts {
  /** `host:port`. */
  address: string;
  /** Once for each trouble. */
  failed(reason: string): void;
}

const units: Readonly<Record<Kind, string>> = { gauge: "g", counter: "c", sample: "ms" };
const flushMs = 100;
/** What fits into a frame of Ethernet. */
const packetBytesMax = 1_400;
const reconnectMs = 5_000;
const bufferedBytesMax = 256 * 1024;

/** Null without a port. */
export function sinkTarget(address: string): { host: string; port: number } | null {
  const [, v6, host, port] = /^(?:\[(.+)\]|([^:]+)):(\d{1,5})$/.exec(address) ?? [];
  const number = Number(port);
  return number > 0 && number < 65_536 ? { host: v6 ?? host ?? "", port: number } : null;
}

function flat(name: string): string {
  return name.replaceAll(/[: ]/g, "_");
}

/** Labels are told as parts of the name. */
function line({ kind, name, value, labels }: Told, suffix = ""): string {
  const whole = flat([name, ...Object.values(labels)].join("."));
  return `${whole}:${value.toFixed(6)}|${units[kind]}${suffix}\n`;
}

export class StatsdSink implements Sink {
  readonly #udp: Udp;
  #packet = "";
  #timer: ReturnType<typeof setTimeout> | null = null;

  constructor(parts: SinkParts) {
    this.#udp = new Udp(parts);
  }

  tell(metric: Told): void {
    // One line for many values says so by the rate at which they were picked.
    const rate = metric.kind === "sample" && metric.count > 1 ? `|@${1 / metric.count}` : "";
    const text = line(metric, rate);
    if (this.#packet.length + text.length > packetBytesMax) this.#flush();
    this.#packet += text;
    this.#timer ??= setTimeout(() => this.#flush(), flushMs);
  }

  stop(): void {
    this.#flush();
    this.#udp.close();
  }

  #flush(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#packet !== "") this.#udp.send(this.#packet);
    this.#packet = "";
  }
}

export class DogstatsdSink implements Sink {
  readonly #udp: Udp;
  readonly #tags: readonly string[];

  constructor(parts: SinkParts & { tags: readonly string[] }) {
    this.#udp = new Udp(parts);
    this.#tags = parts.tags;
  }

  tell({ kind, plainName, value, labels, count }: Told): void {
    const own = Object.entries(labels).map(([name, text]) => `${flat(name)}:${flat(text)}`);
    const tags = [...this.#tags, ...own];
    const number = kind === "counter" ? String(value) : value.toFixed(6);
    const rate = kind === "sample" && count > 1 ? `|@${1 / count}` : "";
    const tagged = tags.length === 0 ? "" : `|#${tags.join(",")}`;
    this.#udp.send(`${flat(plainName)}:${number}|${units[kind]}${rate}${tagged}`);
  }

  stop(): void {
    this.#udp.close();
  }
}

export class StatsiteSink implements Sink {
  readonly #parts: SinkParts;
  #socket: TcpSocket | null = null;
  #triedMs = Number.NEGATIVE_INFINITY;
  #stopped = false;

  constructor(parts: SinkParts) {
    this.#parts = parts;
  }

  tell(metric: Told): void {
    const socket = this.#connected();
    if (socket && socket.writableLength < bufferedBytesMax) socket.write(line(metric));
  }

  stop(): void {
    this.#stopped = true;
    this.#socket?.end();
    this.#socket?.unref();
  }

  /** Null for a while after it was lost. */
  #connected(): TcpSocket | null {
    const nowMs = performance.now();
    const target = sinkTarget(this.#parts.address);
    if (this.#socket || this.#stopped || !target || nowMs - this.#triedMs < reconnectMs) {
      return this.#socket;
    }
    this.#triedMs = nowMs;
    const socket = connect(target);
    socket.on("error", (failure) => this.#parts.failed(failure.message));
    socket.on("close", () => {
      if (this.#socket === socket) this.#socket = null;
    });
    socket.resume();
    this.#socket = socket;
    return socket;
  }
}

class Udp {
  readonly #parts: SinkParts;
  readonly #target: { host: string; port: number } | null;
  readonly #socket: Socket;
  #closed = false;

  constructor(parts: SinkParts) {
    this.#parts = parts;
    this.#target = sinkTarget(parts.address);
    this.#socket = createSocket(isIPv6(this.#target?.host ?? "") ? "udp6" : "udp4");
    this.#socket.on("error", (failure) => parts.failed(failure.message));
    this.#socket.unref();
  }

  send(text: string): void {
    if (this.#closed || !this.#target) return;
    const { host, port } = this.#target;
    this.#socket.send(text, port, host, (failure) => {
      if (failure && !this.#closed) this.#parts.failed(failure.message);
    });
  }

  /** What is on its way goes out first. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    setTimeout(() => this.#socket.close(), flushMs).unref();
  }
}
