/** Who stands behind an endpoint of a PBX: a trunk or a user of a tenant. */
export interface Party {
  kind: 'trunk' | 'user';
  tenant: string;
  name: string;
  /** A user's extension; null for trunks. */
  extension: string | null;
}

/** Finds parties by the name of their endpoint on a PBX: `acme.telnyx_main`, `ann@acme.sip.example`. */
export interface Parties {
  find(endpoint: string): Party | null;
}
