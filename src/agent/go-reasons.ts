// What the system says of files, in the words that Go has for it.

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
