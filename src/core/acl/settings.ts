// What a datacenter's configuration says of ACLs.

export interface AclSettings {
  /** Without ACLs everybody may do everything, and no token means anything. */
  enabled: boolean;
  /** For what no rule speaks of. */
  defaultPolicy: "allow" | "deny";
  /** Listing keys takes the access `list`, where otherwise what may not be read is left out. */
  keyListPolicy: boolean;
  /** The datacenter that policies, roles and tokens are copied from; absent in that one itself. */
  primary?: string;
}

export const aclsOff: AclSettings = {
  enabled: false,
  defaultPolicy: "allow",
  keyListPolicy: false,
};
