/** One section of a pjsip.conf: an object of Asterisk. Values are plain text, not yet escaped for the file. */
export interface PjsipObject {
  type: string;
  id: string;
  /** In the order of the file, without `type`. */
  options: readonly (readonly [option: string, value: string])[];
}

/** What one marker pair of a rendered file holds: all sections of one trunk or user. */
export interface PjsipGroup {
  kind: 'trunk' | 'user';
  /** As sipctl names it within the tenant. */
  name: string;
  objects: readonly PjsipObject[];
}

export const trunksFile = 'pjsip_trunks.conf';
export const usersFile = 'pjsip_users.conf';
