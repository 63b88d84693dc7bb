// The one URL that becomes a worker. Trusted Types refuse every other.

interface Policies {
  createPolicy(
    name: string,
    rules: { createScriptURL(url: string): string },
  ): { createScriptURL(url: string): unknown };
}

/** As worker constructors take it: a string, or what stands for one where the browser has Trusted Types. */
export function workerUrl(): string {
  const named = document.querySelector('meta[name="proconsul-worker"]')?.getAttribute("content");
  const file = (named ?? "").replace(/^.*\//, "");
  const url = new URL(file, import.meta.url).href;
  const { trustedTypes } = globalThis as { trustedTypes?: Policies };
  if (!trustedTypes) return url;
  const policy = trustedTypes.createPolicy("proconsul-worker", {
    createScriptURL: (asked) => {
      if (asked !== url) throw new TypeError(`${asked} is not the worker`);
      return asked;
    },
  });
  return policy.createScriptURL(url) as string;
}
