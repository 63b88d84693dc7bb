// What becomes of a proposal that was not applied.

/** This server does not lead: nothing was accepted, ask `leader`. */
export class NotLeader extends Error {
  override name = "NotLeader";
}

/** The command was appended, and what became of it cannot be said. */
export class OutcomeUnknown extends Error {
  override name = "OutcomeUnknown";
}
