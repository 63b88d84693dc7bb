// Other people's DNS servers, asked about names outside our zones: in order, until one gives an answer or says that
// the name does not exist.

import { createSocket } from "node:dgram";
import { connect, isIPv6 } from "node:net";

import { decode, encode } from "@leichtgewicht/dns-packet";

import { type DnsTransport, servfail } from "../../core/dns/message.ts";
import type { DnsRecord } from "../../core/dns/records.ts";

const rcodeNoError = 0;
const rcodeNameError = 3;
const recursionAvailable = 0x80;

interface Recursor {
  host: string;
  port: number;
}

export class Recursors {
  readonly #recursors: readonly Recursor[];
  readonly #timeoutMs: number;

  /** Addresses as `ip` or `ip:port`. */
  constructor(addresses: readonly string[], timeoutMs: number) {
    this.#recursors = addresses.map(parseRecursor);
    this.#timeoutMs = timeoutMs;
  }

  /** The answer of the first that knows, or SERVFAIL with "recursion available" as Consul says it. */
  async forward(message: Uint8Array, transport: DnsTransport): Promise<Uint8Array> {
    for (const recursor of this.#recursors) {
      const ask = transport === "datagram" ? askUdp : askTcp;
      const reply = await ask(recursor, message, this.#timeoutMs).catch(() => null);
      const rcode = (reply?.[3] ?? 15) & 15;
      if (reply && (rcode === rcodeNoError || rcode === rcodeNameError)) return reply;
    }
    const failure = servfail(message);
    failure[3] = (failure[3] ?? 0) | recursionAvailable;
    return failure;
  }

  /** Addresses of a host; none when nobody knows. */
  async addresses(name: string): Promise<DnsRecord[]> {
    if (this.#recursors.length === 0) return [];
    const id = Math.floor(Math.random() * 65_536);
    const question = { type: "query", id, flags: 0x100, questions: [{ name, type: "A" }] };
    const reply = decode(await this.forward(encode(question as never), "datagram"));
    return ((reply.answers ?? []) as unknown as DnsRecord[])
      .filter(({ type }) => type === "A" || type === "AAAA" || type === "CNAME")
      .map(({ name: owner, type, ttl, data }) => ({ name: owner, type, ttl, data }));
  }
}

function parseRecursor(address: string): Recursor {
  const bracketed = /^\[(.+)\](?::(\d+))?$/.exec(address);
  if (bracketed) return { host: bracketed[1] ?? "", port: Number(bracketed[2] ?? 53) };
  if (isIPv6(address)) return { host: address, port: 53 };
  const [host = "", port = "53"] = address.split(":");
  return { host, port: Number(port) };
}

function askUdp(recursor: Recursor, message: Uint8Array, timeoutMs: number): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const socket = createSocket(isIPv6(recursor.host) ? "udp6" : "udp4");
    const timer = setTimeout(() => finish(() => reject(new Error("timed out"))), timeoutMs);
    const finish = (then: () => void): void => {
      clearTimeout(timer);
      socket.close();
      then();
    };
    socket.on("error", (failure) => finish(() => reject(failure)));
    socket.on("message", (reply) => {
      if (reply[0] === message[0] && reply[1] === message[1]) finish(() => resolve(reply));
    });
    // Connected, so that only this recursor's answer is taken, and a closed port is known at once.
    socket.connect(recursor.port, recursor.host, () => socket.send(message));
  });
}

function askTcp(recursor: Recursor, message: Uint8Array, timeoutMs: number): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const socket = connect(recursor.port, recursor.host);
    socket.setTimeout(timeoutMs, () => socket.destroy(new Error("timed out")));
    let received = Buffer.alloc(0);
    socket.on("error", reject);
    socket.on("close", () => reject(new Error("closed")));
    socket.on("connect", () => {
      const length = Buffer.alloc(2);
      length.writeUInt16BE(message.length);
      socket.write(Buffer.concat([length, message]));
    });
    socket.on("data", (chunk) => {
      received = Buffer.concat([received, chunk]);
      if (received.length < 2 || received.length < 2 + received.readUInt16BE(0)) return;
      resolve(Uint8Array.from(received.subarray(2, 2 + received.readUInt16BE(0))));
      socket.destroy();
    });
  });
}
