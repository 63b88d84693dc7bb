// What a request shows of who asks.

export const tokenHeader = "x-consul-token";

/** Null: nothing. */
export function tokenOf(request: Request): string | null {
  const inQuery = new URL(request.url).searchParams.get("token");
  const given = inQuery || request.headers.get(tokenHeader) || bearerOf(request);
  return given === "" ? null : given;
}

/** Of `Authorization: Bearer`; null: there is none. */
export function bearerOf({ headers }: Request): string | null {
  const [scheme = "", bearer = ""] = (headers.get("authorization") ?? "").trim().split(/\s+/);
  return scheme.toLowerCase() === "bearer" && bearer !== "" ? bearer : null;
}
