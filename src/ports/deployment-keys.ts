// Keys that a deployment gives out: what they stand for is sealed in them, so that its Worker knows a forgery before
// it asks anybody, and keeps no list of them. Implemented at the Worker.

/** Admits hosts. */
export interface JoinGrant {
  kind: "join";
  /** Secret of the ACL token that stands for it: deleting that revokes it. */
  secret: string;
  /** Names of nodes that may join by it; with a `*` at the end, all that begin so. Empty: any. */
  nodes: string[];
  /** Ms since 1970; 0: never. */
  expiresMs: number;
}

/** Asks DNS over HTTPS with what a token may see, in an address. */
export interface DnsGrant {
  kind: "dns";
  /** Of the ACL token. */
  secret: string;
  /** Ms since 1970; 0: never. */
  expiresMs: number;
}

export type KeyGrant = JoinGrant | DnsGrant;

export interface DeploymentKeys {
  /** A text that can stand in an address. Rejects with ServiceError where the deployment cannot seal. */
  seal(grant: KeyGrant): Promise<string>;
}
