// What the system says of files and programs, in the words that Go has for it.

const reasons: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EEXIST: "file exists",
  EISDIR: "is a directory",
  ELOOP: "too many levels of symbolic links",
  ENOENT: "no such file or directory",
  ENOSPC: "no space left on device",
  ENOTDIR: "not a directory",
  EPERM: "operation not permitted",
  EROFS: "read-only file system",
};

/** The message itself for what is not known. */
export function goReason(failure: unknown): string {
  const { code, message } = failure as NodeJS.ErrnoException;
  return reasons[code ?? ""] ?? message;
}

/** Of a file that cannot be read. A directory can be opened, but not read. */
export function openError(path: string, failure: unknown): string {
  const { code } = failure as NodeJS.ErrnoException;
  return `${code === "EISDIR" ? "read" : "open"} ${path}: ${goReason(failure)}`;
}

/** Of a program that could not be started. */
export function startError(program: string, failure: unknown): string {
  const { code, message } = failure as NodeJS.ErrnoException;
  if (code === "ENOENT" && !program.includes("/")) {
    return `exec: ${JSON.stringify(program)}: executable file not found in $PATH`;
  }
  const reason = code === "ENOENT" || code === "EACCES" ? goReason(failure) : null;
  return reason === null ? message : `fork/exec ${program}: ${reason}`;
}

const signalWords: Readonly<Record<string, string>> = {
  SIGINT: "interrupt",
  SIGKILL: "killed",
  SIGTERM: "terminated",
  SIGHUP: "hangup",
};

/** Of a program that ended; null when that went well. */
export function exitError(code: number | null, signal: NodeJS.Signals | null): string | null {
  if (signal !== null) return `signal: ${signalWords[signal] ?? signal}`;
  return code === 0 ? null : `exit status ${code}`;
}
