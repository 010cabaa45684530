// Every option of pjsip.conf that holds a secret.
const secretOption = /^(\s*(?:password|md5_cred|oauth_secret|refresh_token)\s*=>?\s*).*$/gm;

/** A rendered text whose secrets are hidden; equal secrets do not look equal. */
export const maskSecrets = (text: string): string => text.replace(secretOption, '$1[secret]');
