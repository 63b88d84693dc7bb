// A call of an operation of the document. `{name}` in it is what an earlier call kept by that name.

export interface Call {
  operation: string;
  /** What fills the braces of the path. */
  path?: Readonly<Record<string, string>>;
  /** Without `?`. */
  query?: string;
  body?: object | string;
  /** Absent: 200. */
  status?: number;
  /** The member of the answer, or of its first item, that later calls speak of. */
  keep?: readonly [name: string, member: string];
  token?: string;
}

/** What most reads understand. */
export const reading = "stale&cached&index=0&wait=1s&dc=dc1&max_stale=1m";
