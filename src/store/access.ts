/** What a role of the database may do: look; look and write; and say who may. */
export const accessRoles = ['viewer', 'operator', 'admin'] as const;
export type AccessRole = (typeof accessRoles)[number];

/** What was granted to a role of the database server. */
export interface Grant {
  /** The name of the server's role: a login, or a group of logins. */
  login: string;
  role: AccessRole;
  /** null: every tenant. */
  tenant: string | null;
  grantedBy: string;
  at: string;
}

/** Tenants by name, or all of them. */
export type Tenants = 'all' | readonly string[];

/** What the login of this session may do. */
export interface OwnAccess {
  login: string;
  /** The owner of the tables is bound by nothing. */
  isOwner: boolean;
  reads: Tenants;
  writes: Tenants;
  grants: Tenants;
}

/** A node that the login of this session does not see, as it serves tenants of others. */
export interface HiddenNode {
  name: string;
  labels: string[];
  enabled: boolean;
  /** Whether it serves a tenant of the login's, too. */
  isShared: boolean;
}

/** Who may do what, where the database itself keeps it. */
export interface AccessControl {
  own(): Promise<OwnAccess>;
  /** All grants, for those who may grant; otherwise one's own. */
  list(): Promise<Grant[]>;
  /** @throws SipctlError `refused`, `notFound` */
  grant(login: string, role: AccessRole, tenant: string | null): Promise<void>;
  /** Of a tenant, of all tenants (null), or whatever there is (undefined). Gives how many grants it were. */
  revoke(login: string, tenant: string | null | undefined): Promise<number>;
  hiddenNodes(): Promise<HiddenNode[]>;
}
