// Arguments that reads of the catalog and of health have in common.

/** What narrows or orders a list; all optional, all ANDed. */
export interface ListArguments {
  /** Node metadata that must match. */
  meta?: Record<string, string>;
  /** Filter expression (core/model/filter). */
  filter?: string;
  /** Node to sort by distance from. */
  near?: string;
}

export interface InstanceArguments extends ListArguments {
  service: string;
  /** Tags the instance must all have; case does not matter. */
  tags?: string[];
}

export interface NodeArguments {
  node: string;
  filter?: string;
}
