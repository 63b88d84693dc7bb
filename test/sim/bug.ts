// The handles by which a planted bug (bugs.ts) gets into the world. The core has no hooks for this:
// a bug rewrites messages and hard state, replaces a method of one object, or misleads the driver.

import type { HardState, Message } from "../../src/core/raft/types.ts";
import type { SimOptions } from "./options.ts";

/** `Subject` is an instance of a server. */
export interface Bug<Subject> {
  name: string;
  /** Replaces methods of a newly constructed instance. */
  instance?(instance: Subject): void;
  /** What a new instance finds instead of the hard state on its disk. */
  hardState?(hardState: HardState): HardState;
  incoming?(instance: Subject, message: Message): Message;
  outgoing?(instance: Subject, message: Message): Message;
  /** The driver lets messages leave before its transaction. */
  sendBeforePersist?: boolean;
  /** The driver goes on with the same instance after an exception. */
  swallowExceptions?: boolean;
  /** Every server answers default reads from its own state. */
  servesDefault?: boolean;
  /** A half-received snapshot is served. */
  servesWhileInstalling?: boolean;
  /** Changes what a seed chose, to where the bug shows soon. */
  adjust?(options: SimOptions): SimOptions;
}
