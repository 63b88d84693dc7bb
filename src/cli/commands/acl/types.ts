// What the ACL system keeps, as the API writes it.

export interface Link {
  ID: string;
  Name: string;
}

export interface ServiceIdentity {
  ServiceName: string;
  Datacenters?: string[] | null;
}

export interface NodeIdentity {
  NodeName: string;
  Datacenter: string;
}

/** What tokens and roles have in common. */
export interface Grants {
  Policies?: Partial<Link>[] | null;
  ServiceIdentities?: ServiceIdentity[] | null;
  NodeIdentities?: NodeIdentity[] | null;
}

interface Indexes {
  CreateIndex: number;
  ModifyIndex: number;
}

export interface Token extends Grants, Indexes {
  AccessorID: string;
  SecretID: string;
  Description: string;
  Roles?: Partial<Link>[] | null;
  Local: boolean;
  AuthMethod?: string;
  ExpirationTime?: string;
  CreateTime: string;
  Hash: string;
  Legacy?: boolean;
  Rules?: string;
}

export interface Policy extends Indexes {
  ID: string;
  Name: string;
  Description: string;
  Rules?: string;
  Datacenters?: string[] | null;
  Hash: string;
}

export interface Role extends Grants, Indexes {
  ID: string;
  Name: string;
  Description: string;
  Hash: string;
}

export interface AuthMethod extends Indexes {
  Name: string;
  Type: string;
  DisplayName?: string;
  Description?: string;
  MaxTokenTTL?: string;
  TokenLocality?: string;
  Config?: Record<string, unknown> | null;
}

export interface BindingRule extends Indexes {
  ID: string;
  Description: string;
  AuthMethod: string;
  Selector: string;
  BindType: string;
  BindName: string;
}
