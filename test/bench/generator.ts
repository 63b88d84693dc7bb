// The load generator's process: takes a task as JSON argument, prints its result as JSON, and before it "mark" when
// what is measured begins and when it ends.
//
// HTTP is written by hand to the socket, because a client library would take more time than what it asks. A DNS
// question without answer is asked again after a while, so that lost datagrams do not thin out the load.

import { createSocket } from "node:dgram";
import { writeSync } from "node:fs";
import { connect } from "node:net";

import type { DnsTask, HttpTask, LoadResult, LoadTask, WakeTask } from "./load.ts";

const warmupShare = 0.2;
const lostAfterMs = 500;
const rcodeMask = 15;
const settleMs = 1_500;

class Recorder {
  readonly #latencies: number[] = [];
  #startMs = Number.POSITIVE_INFINITY;
  #endMs = Number.POSITIVE_INFINITY;
  #answered = 0;
  done = false;
  errors = 0;
  lost = 0;

  /** Measures for so long, when the warm-up is over. */
  warmUpFor(warmupMs: number, durationMs: number): void {
    setTimeout(() => this.start(), warmupMs);
    setTimeout(() => this.stop(), warmupMs + durationMs);
  }

  start(): void {
    this.#startMs = performance.now();
    mark();
  }

  stop(): void {
    this.#endMs = performance.now();
    this.done = true;
    mark();
  }

  record(sentMs: number): void {
    const nowMs = performance.now();
    if (this.done || nowMs < this.#startMs) return;
    this.#answered += 1;
    if (sentMs >= this.#startMs) this.#latencies.push(nowMs - sentMs);
  }

  result(): LoadResult {
    const sorted = Float64Array.from(this.#latencies).toSorted();
    const at = (share: number): number => sorted[Math.floor(sorted.length * share)] ?? 0;
    const seconds = (this.#endMs - this.#startMs) / 1_000;
    return {
      perSecond: this.#answered / seconds,
      p50Ms: at(0.5),
      p99Ms: at(0.99),
      answered: this.#answered,
      errors: this.errors,
      lost: this.lost,
    };
  }
}

/** The parent reads the processor's clocks at it: written at once, not when this process next has time. */
function mark(): void {
  writeSync(process.stdout.fd, "mark\n");
}

async function http(task: HttpTask): Promise<LoadResult> {
  const recorder = new Recorder();
  recorder.warmUpFor(task.durationMs * warmupShare, task.durationMs * (1 - warmupShare));
  let running = 0;
  const connections = Array.from({ length: task.connections }, () =>
    httpConnection(task, recorder, () => running++),
  );
  await Promise.all(connections);
  return recorder.result();
}

/** Field of a request's head; "" without a token. */
function tokenField(token: string): string {
  return token === "" ? "" : `X-Consul-Token: ${token}\r\n`;
}

function httpConnection(task: HttpTask, recorder: Recorder, next: () => number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(task.port, task.host);
    socket.setNoDelay(true);
    const field = tokenField(task.token);
    let sentMs = 0;
    let received = "";
    const send = (): void => {
      if (recorder.done) return void socket.end();
      const n = next();
      const path = task.path.replace("{n}", String(n % task.spread));
      const body = task.body.replace("{n}", String(n));
      sentMs = performance.now();
      socket.write(
        `${task.method} ${path} HTTP/1.1\r\nHost: localhost\r\n${field}` +
          `Content-Length: ${body.length}\r\n\r\n${body}`,
        "latin1",
      );
    };
    socket.on("connect", send);
    socket.on("error", reject);
    socket.on("close", () => {
      if (recorder.done) resolve();
      else reject(new Error("the connection was closed"));
    });
    socket.setEncoding("latin1");
    socket.on("data", (chunk: string) => {
      received += chunk;
      if (!isComplete(received)) return;
      if (!received.startsWith("HTTP/1.1 200")) recorder.errors += 1;
      received = "";
      recorder.record(sentMs);
      send();
    });
  });
}

function isComplete(received: string): boolean {
  const headEnd = received.indexOf("\r\n\r\n");
  if (headEnd < 0) return false;
  const head = received.slice(0, headEnd).toLowerCase();
  const length = /content-length: (\d+)/.exec(head)?.[1];
  if (length !== undefined) return received.length >= headEnd + 4 + Number(length);
  return head.includes("transfer-encoding: chunked") ? received.endsWith("0\r\n\r\n") : true;
}

/** Each question in flight has a slot, whose number is its id. */
function dns(task: DnsTask): Promise<LoadResult> {
  const recorder = new Recorder();
  recorder.warmUpFor(task.durationMs * warmupShare, task.durationMs * (1 - warmupShare));
  const socket = createSocket({ type: "udp4", recvBufferSize: 4 << 20, sendBufferSize: 4 << 20 });
  const question = encodeQuestion(task.name);
  const sentMs = new Float64Array(task.inFlight);
  const send = (slot: number): void => {
    const message = Buffer.from(question);
    message.writeUInt16BE(slot, 0);
    sentMs[slot] = performance.now();
    socket.send(message, task.port, task.host);
  };
  return new Promise((resolve) => {
    const timer = setInterval(() => {
      if (recorder.done) {
        clearInterval(timer);
        socket.close();
        return resolve(recorder.result());
      }
      for (const [slot, sent] of sentMs.entries()) {
        if (performance.now() - sent < lostAfterMs) continue;
        recorder.lost += 1;
        send(slot);
      }
    }, 100);
    socket.on("message", (reply) => {
      if (((reply[3] ?? 0) & rcodeMask) !== 0) recorder.errors += 1;
      const slot = reply.readUInt16BE(0);
      recorder.record(sentMs[slot] ?? 0);
      if (!recorder.done) send(slot);
    });
    socket.bind(() => {
      for (let slot = 0; slot < task.inFlight; slot++) send(slot);
    });
  });
}

function encodeQuestion(name: string): Buffer {
  const labels = name.split(".").map((label) => Buffer.from([label.length, ...Buffer.from(label)]));
  const header = Buffer.from([0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
  return Buffer.concat([header, ...labels, Buffer.from([0, 0, 1, 0, 1])]);
}

/** All clients wait on connections of their own when the key is written. */
async function wake({ host, port, token, waiting, key }: WakeTask): Promise<LoadResult> {
  const origin = `http://${host}:${port}/v1/kv/${key}`;
  const headers = token === "" ? {} : { "X-Consul-Token": token };
  const put = (body: string): Promise<string> =>
    fetch(origin, { method: "PUT", headers, body }).then((response) => response.text());
  await put(`before ${Date.now()}`);
  const held = await fetch(origin, { headers });
  await held.text();
  const index = held.headers.get("x-consul-index");
  const recorder = new Recorder();
  let startMs = 0;
  const woken = Array.from({ length: waiting }, () =>
    answered(host, port, `/v1/kv/${key}?index=${index}&wait=60s`, tokenField(token)).then(
      (head) => {
        if (!head.startsWith("HTTP/1.1 200")) recorder.errors += 1;
        recorder.record(startMs);
      },
    ),
  );
  // Nothing tells from outside that all of them wait.
  await new Promise((resolve) => setTimeout(resolve, settleMs));
  recorder.start();
  startMs = performance.now();
  await Promise.all([...woken, put(`after ${Date.now()}`)]);
  recorder.stop();
  return recorder.result();
}

/** Resolves to the start of the one answer on a new connection. */
function answered(host: string, port: number, path: string, fields: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, host);
    socket.setNoDelay(true);
    socket.setEncoding("latin1");
    socket.on("error", reject);
    socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n${fields}\r\n`);
    let received = "";
    socket.on("data", (chunk: string) => {
      received += chunk;
      if (!isComplete(received)) return;
      resolve(received);
      socket.end();
    });
  });
}

const task = JSON.parse(process.argv[2] ?? "") as LoadTask;
const kinds = { http, dns, wake } as Record<string, (task: LoadTask) => Promise<LoadResult>>;
const result = await kinds[task.kind]?.(task);
console.log(JSON.stringify(result));
process.exit(0);
