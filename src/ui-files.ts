// How the web UI's files are served, the same by agents and by the Worker: which path is which file, and with which
// headers. The page holds no data, so it is for everybody; what it shows comes from the API, with the user's token.

/** What a path below the UI's own stands for. */
export type UiFile =
  | { kind: "page" }
  /** `file`: such as `assets/main-3F5K2.js`, which may not be there. */
  | { kind: "asset"; file: string };

/** `rest`: of the path, after the UI's own, decoded. Everything that is no asset is the page, which has its routes. */
export function uiFile(rest: string): UiFile {
  return rest.startsWith("assets/") ? { kind: "asset", file: rest } : { kind: "page" };
}

const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "worker-src 'self'",
  "font-src 'none'",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types proconsul-worker",
];

const always = {
  "Content-Security-Policy": policy.join("; "),
  "X-Content-Type-Options": "nosniff",
  "X-Frame-Options": "DENY",
  "Referrer-Policy": "no-referrer",
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
} as const;

const types: Readonly<Record<string, string>> = {
  css: "text/css; charset=utf-8",
  html: "text/html; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  svg: "image/svg+xml",
};

/** Of the page, or of an asset that is there. */
export function uiHeaders(file: UiFile): Record<string, string> {
  const name = file.kind === "page" ? "index.html" : file.file;
  const type = types[name.slice(name.lastIndexOf(".") + 1)] ?? "application/octet-stream";
  // An asset's name changes with what is in it.
  const kept = file.kind === "page" ? "no-cache" : "public, max-age=31536000, immutable";
  return { ...always, "Content-Type": type, "Cache-Control": kept };
}

export const uiAbsent = "There is no such file of the web UI.\n";

/** Of an asset that is not there. */
export const uiAbsentHeaders: Readonly<Record<string, string>> = {
  ...always,
  "Content-Type": "text/plain; charset=utf-8",
  "Cache-Control": "no-store",
};

/** The same for a host of static files that reads a `_headers` file: what the Worker never sees. */
export function headersFile(): string {
  const block = (path: string, file: UiFile): string => {
    const { "Content-Type": _byItsName, ...headers } = uiHeaders(file);
    const lines = Object.entries(headers).map(([name, value]) => `  ${name}: ${value}`);
    return [path, ...lines].join("\n");
  };
  const asset: UiFile = { kind: "asset", file: "assets/" };
  return `${block("/ui/", { kind: "page" })}\n${block("/ui/assets/*", asset)}\n`;
}

/** Where the page looks for its files when nobody says otherwise. */
export const uiPath = "/ui/";

/** The page as it is served below another path. Paths have letters, digits, `-`, `_` and `/` only. */
export function pageAt(page: string, path: string): string {
  return path === uiPath ? page : page.replaceAll(`"${uiPath}assets/`, `"${path}assets/`);
}
