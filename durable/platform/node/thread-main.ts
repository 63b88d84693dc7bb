// The program of the thread in which an agent's servers run; see thread-host.ts.

import { parentPort, workerData } from "node:worker_threads";

import type { SocketInput } from "../host/object-host.ts";
import { NodeHost } from "./node-host.ts";
import type { FromServers, ThreadOptions, ToServers } from "./thread-messages.ts";

const agent = parentPort;
if (!agent) throw new Error("this is the program of a thread");

const say = (message: FromServers): void => agent.postMessage(message);
const host = new NodeHost({
  ...(workerData as ThreadOptions),
  log: (level, line) => say({ level, line }),
});
const sockets = new Map<number, SocketInput>();

agent.on("message", (message: ToServers) => {
  if ("rpc" in message) answer(message);
  else if ("open" in message) open(message);
  else if ("frame" in message) sockets.get(message.frame)?.received(message.text);
  else if ("tls" in message) host.useTls(message.tls);
  else if ("lost" in message) {
    sockets.get(message.lost)?.lost();
    sockets.delete(message.lost);
  } else {
    host.stop();
    agent.close();
  }
});

function answer({ rpc, path, body }: Extract<ToServers, { rpc: number }>): void {
  host.rpc(path, body).then(
    (reply) => say({ answer: rpc, status: reply.status, body: reply.body }),
    (failure: unknown) => say({ failure: rpc, text: String(failure) }),
  );
}

function open({ open: socket, pathAndQuery }: Extract<ToServers, { open: number }>): void {
  sockets.set(
    socket,
    host.open(pathAndQuery, {
      send: (text) => say({ frame: socket, text }),
      close: (code, reason) => {
        sockets.delete(socket);
        say({ close: socket, code, reason });
      },
    }),
  );
}

host.start().then(
  () => say({ started: null }),
  (failure: unknown) => {
    say({ started: failure instanceof Error ? failure.message : String(failure) });
    host.stop();
    agent.close();
  },
);
