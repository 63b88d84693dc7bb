// What Go says of a file that cannot be read.

const reasons: Readonly<Record<string, string>> = {
  ENOENT: "no such file or directory",
  EACCES: "permission denied",
  ENOTDIR: "not a directory",
};

export function fileError(file: string, failure: unknown): string {
  const { code = "", message } = failure as NodeJS.ErrnoException;
  if (code === "EISDIR") return `read ${file}: is a directory`;
  return `open ${file}: ${reasons[code] ?? message}`;
}
