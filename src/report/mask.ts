// Every option of pjsip.conf and confbridge.conf that holds a secret.
const secretOption = /^(\s*(?:password|md5_cred|oauth_secret|refresh_token|pin)\s*=>?\s*).*$/gm;

// The password of a voicemail box comes first in its line, after a dash (it cannot be changed by phone).
const boxPassword = /^(\s*[\w.*#]+\s*=>?\s*)-[^,\n]*/gm;

/** A rendered text whose secrets are hidden; equal secrets do not look equal. */
export const maskSecrets = (text: string): string =>
  text.replace(secretOption, '$1[secret]').replace(boxPassword, '$1[secret]');
