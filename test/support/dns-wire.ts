// DNS as bytes on real sockets, so that a test can send what no library would.

import { createSocket } from "node:dgram";
import { connect } from "node:net";

const typeSrv = 33;

/** A question for `name`'s SRV records. */
export function dnsQuestion(id: number, name: string, type = typeSrv): Buffer {
  const header = Buffer.from([id >> 8, id & 255, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
  const labels = name
    .split(".")
    .map((label) => Buffer.concat([Buffer.of(label.length), Buffer.from(label)]));
  return Buffer.concat([header, ...labels, Buffer.of(0, 0, type, 0, 1)]);
}

export function idOf(message: Buffer): number {
  return message.readUInt16BE(0);
}

export function rcodeOf(message: Buffer): number {
  return (message[3] ?? 0) & 15;
}

/** Sends datagrams in this order and resolves, with all answers so far, when the one with `lastId` is answered. */
export function askUdp(
  port: number,
  messages: readonly Buffer[],
  lastId: number,
): Promise<Buffer[]> {
  const socket = createSocket("udp4");
  const answers: Buffer[] = [];
  return new Promise<Buffer[]>((resolve, reject) => {
    socket.on("error", reject);
    socket.on("message", (answer) => {
      answers.push(answer);
      if (idOf(answer) === lastId) resolve(answers);
    });
    for (const message of messages) socket.send(message, port, "127.0.0.1");
  }).finally(() => socket.close());
}

/** Writes bytes to a new connection and resolves with the answers until `lastId`, or until the server closes. */
export function askTcp(port: number, bytes: Buffer, lastId: number): Promise<Buffer[]> {
  const answers: Buffer[] = [];
  let received = Buffer.alloc(0);
  const socket = connect(port, "127.0.0.1", () => socket.write(bytes));
  return new Promise<Buffer[]>((resolve) => {
    socket.on("error", () => resolve(answers));
    socket.on("close", () => resolve(answers));
    socket.on("data", (chunk) => {
      received = Buffer.concat([received, chunk]);
      while (received.length >= 2 && received.length >= 2 + received.readUInt16BE(0)) {
        const end = 2 + received.readUInt16BE(0);
        answers.push(received.subarray(2, end));
        received = received.subarray(end);
      }
      if (answers.some((answer) => answer.length > 1 && idOf(answer) === lastId)) resolve(answers);
    });
  }).finally(() => socket.destroy());
}

/** A message with its length before it, as on a stream. */
export function framed(message: Buffer): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(message.length);
  return Buffer.concat([length, message]);
}
