// The port between `/v1/agent/connect/ca/leaf` and whoever keeps the certificates of services: the agent of a host, or
// an EdgeAgent.

/** A service's certificate with the key that only its agent has. */
export interface Leaf {
  /** In hex. */
  serialNumber: string;
  certPem: string;
  privateKeyPem: string;
  service: string;
  serviceUri: string;
  /** RFC 3339. */
  validAfter: string;
  validBefore: string;
  /** Of the entry that gave out its serial number. */
  index: number;
}

export interface LeafOptions {
  dc?: string;
  token?: string;
  /** Waits for a certificate with a greater index, at most `waitMs`. */
  minIndex?: number;
  waitMs?: number;
  signal?: AbortSignal;
}

export interface LeafReply {
  leaf: Leaf;
  /** It was there already, and nobody waited for it. */
  hit: boolean;
  /** Since it was made, in seconds. */
  ageSeconds: number;
}

export interface LeafSource {
  /** Rejects with ServiceError. */
  leaf(service: string, options: LeafOptions): Promise<LeafReply>;
}
