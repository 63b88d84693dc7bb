// Tells systemd that the agent is ready or ends (`Type=notify`). Its socket takes datagrams, which Node cannot send, so
// systemd's own program does it; a unit needs `NotifyAccess=all` for that.

import { execFile } from "node:child_process";

import type { AgentLog } from "./log.ts";

const timeoutMs = 5_000;

type Environment = Readonly<Record<string, string | undefined>>;

/** Does nothing where nobody waits for it. Resolves also when it could not be told, which the log says. */
export async function notify(
  state: "READY=1" | "STOPPING=1",
  log: Pick<AgentLog, "warn">,
  environment: Environment = process.env,
): Promise<void> {
  if (!environment["NOTIFY_SOCKET"]) return;
  const options = { env: { ...environment }, timeout: timeoutMs };
  const failure = await new Promise<Error | null>((resolve) => {
    execFile("systemd-notify", [`--pid=${process.pid}`, state], options, (failed) => {
      resolve(failed);
    });
  });
  if (failure) log.warn("agent", "cannot notify systemd", { state, error: reasonOf(failure) });
}

function reasonOf(failure: NodeJS.ErrnoException): string {
  const isMissing = failure.code === "ENOENT";
  return isMissing ? "the program systemd-notify is not installed" : failure.message.trim();
}
