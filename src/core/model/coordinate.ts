// Network coordinates (Vivaldi): points in a space in which the distance between two nodes is the time that a message
// takes there and back. All in seconds.

export interface Coordinate {
  /** Position in a Euclidean space of {@link dimensions}. */
  Vec: number[] | null;
  /** How much the node trusts its coordinate: 0 is certain. */
  Error: number;
  /** Corrects distances by what the model gets wrong for this node. */
  Adjustment: number;
  /** What every path of the node has in common: its access link. */
  Height: number;
}

/** A node to measure the way to. */
export interface Peer {
  Node: string;
  Address: string;
  /** Of its server; null when it is none. */
  Port: number | null;
  Coord: Coordinate | null;
}

export const dimensions = 8;

/** Of a node that has measured nothing yet. */
export const origin: Coordinate = {
  Vec: Array.from({ length: dimensions }, () => 0),
  Error: 1.5,
  Adjustment: 0,
  Height: 1e-5,
};

const nanoseconds = 1e9;

/** Estimated round-trip time in whole nanoseconds; infinite where one of them is not known. */
export function roundTripNs(from: Coordinate | undefined, to: Coordinate | undefined): number {
  if (!from || !to) return Number.POSITIVE_INFINITY;
  const raw = rawDistance(from, to);
  const adjusted = raw + from.Adjustment + to.Adjustment;
  return Math.trunc((adjusted > 0 ? adjusted : raw) * nanoseconds);
}

/** The distance without adjustments. */
export function rawDistance(from: Coordinate, to: Coordinate): number {
  return Math.hypot(...difference(from, to)) + from.Height + to.Height;
}

/** From the position of `to` to that of `from`. */
export function difference(from: Coordinate, to: Coordinate): number[] {
  return (from.Vec ?? []).map((each, at) => each - (to.Vec?.[at] ?? 0));
}
