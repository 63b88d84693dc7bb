// Docker checks: a program inside of a container, by the exec calls of Docker's API at its socket. Exit codes count as
// those of scripts.

import { request } from "node:http";
import { keepEnd } from "../../core/agent/checks/output.ts";
import type { CheckDefinition, CheckStatus } from "../../core/agent/definitions.ts";
import { critical, deadline, type Probe, type ProbeResult } from "./probe.ts";

const socketDefault = "/var/run/docker.sock";
const timeoutMsDefault = 30_000;
const answerBytesMax = 64 * 1024;
const statuses: Record<number, CheckStatus> = { 0: "passing", 1: "warning" };

/** `environment`: DOCKER_HOST says where Docker is, if not at its usual socket. */
export function dockerProbe(
  check: CheckDefinition,
  outputBytesMax: number,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Probe {
  const host = environment["DOCKER_HOST"] ?? `unix://${socketDefault}`;
  return async (outer) => {
    if (!host.startsWith("unix://")) {
      return critical(`docker is asked at Unix sockets only, not at ${host}`);
    }
    const limit = deadline(outer, check.timeoutMs || timeoutMsDefault);
    try {
      return await run(check, outputBytesMax, { socketPath: host.slice(7), signal: limit.signal });
    } catch (error) {
      return critical(limit.timedOut() ? "context deadline exceeded" : (error as Error).message);
    } finally {
      limit.done();
    }
  };
}

interface Docker {
  socketPath: string;
  signal: AbortSignal;
}

async function run(
  check: CheckDefinition,
  outputBytesMax: number,
  docker: Docker,
): Promise<ProbeResult> {
  const id = check.dockerContainerId;
  const created = await ask(docker, "POST", `/containers/${encodeURIComponent(id)}/exec`, {
    AttachStdin: false,
    AttachStdout: true,
    AttachStderr: true,
    // One stream without frames.
    Tty: true,
    Cmd: check.args,
  }).catch(failing(`create exec failed for container ${id}`));
  if (created.status !== 201) {
    const said = `${created.status}: ${created.text()}`;
    return critical(`create exec failed for container ${id} with status ${said}`);
  }
  const exec = field(created.text(), "Id");
  const path = `/exec/${encodeURIComponent(String(exec))}`;
  const started = await ask(docker, "POST", `${path}/start`, { Detach: false, Tty: true }).catch(
    failing(`start exec failed for container ${id}`),
  );
  if (started.status !== 200) {
    const said = `${started.status}: ${started.text()}`;
    return critical(`start exec failed for container ${id} with status ${said}`);
  }
  const ended = await ask(docker, "GET", `${path}/json`).catch(
    failing(`inspect exec failed for container ${id}`),
  );
  const output = keepEnd(started.bytes, started.total, outputBytesMax);
  const code = field(ended.text(), "ExitCode");
  return { status: statuses[typeof code === "number" ? code : -1] ?? "critical", output };
}

function failing(what: string): (failure: Error) => never {
  return (failure) => {
    throw new Error(`${what}: ${failure.message}`, { cause: failure });
  };
}

/** Undefined where the answer is no JSON or has no such member. */
function field(text: string, name: string): unknown {
  try {
    return (JSON.parse(text) as Record<string, unknown> | null)?.[name];
  } catch {
    return undefined;
  }
}

interface Answer {
  status: number;
  /** The end of the body, of `total` bytes. */
  bytes: Buffer;
  total: number;
  text(): string;
}

function ask(
  { socketPath, signal }: Docker,
  method: string,
  path: string,
  body?: object,
): Promise<Answer> {
  const text = body === undefined ? "" : JSON.stringify(body);
  const headers = { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(text) };
  return new Promise((resolve, reject) => {
    const asked = request({
      socketPath,
      method,
      path,
      headers,
      signal,
      agent: false,
      host: "docker",
    });
    asked.once("error", (failure: NodeJS.ErrnoException) => {
      const missing = `dial unix ${socketPath}: connect: no such file or directory`;
      reject(failure.code === "ENOENT" ? new Error(missing) : failure);
    });
    asked.once("response", (response) => {
      let bytes = Buffer.alloc(0);
      let total = 0;
      response.on("data", (chunk: Buffer) => {
        total += chunk.length;
        bytes = Buffer.concat([bytes, chunk]).subarray(-answerBytesMax);
      });
      response.once("error", reject);
      response.once("end", () => {
        const status = response.statusCode ?? 0;
        resolve({ status, bytes, total, text: () => bytes.toString("utf8").trim() });
      });
    });
    asked.end(text);
  });
}
