// A deployment's objects as its operator sees them: what each has done, by which the platform bills. Implemented at
// the Worker; hosts of one's own are billed by nobody.

/** One object in one month. Counted by sampling: small numbers are rough. */
export interface ObjectWork {
  /** `dc1/server/0`. */
  name: string;
  /** `server`, `lanPool`, `edgeAgent`, … */
  kind: string;
  /** When the instance that answered was constructed, ms since 1970: an object that has slept is a new one. */
  startedMs: number;
  /** Calls, sockets opened, alarms. */
  requests: number;
  /** Of those, how many came through the Worker. */
  workerRequests: number;
  /** On sockets. */
  messages: number;
  /** Time that events took, ms. */
  busyMs: number;
  rowsWritten: number;
}

/** The objects of a deployment, each by itself. */
export interface DeploymentObjects {
  /** Of a month as `2026-11`, in UTC. An object that does not answer is left out. */
  work(month: string): Promise<ObjectWork[]>;
  /**
   * Ends the instance of an object: its memory and its sockets. The next request finds another one, with its storage.
   * Rejects with ServiceError `not-found` when there is no such object.
   */
  reset(name: string): Promise<void>;
}
