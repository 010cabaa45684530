// Every option of pjsip.conf and confbridge.conf that holds a secret.
const secretOption = /^(\s*(?:password|md5_cred|oauth_secret|refresh_token|pin)\s*=>?\s*).*$/gm;

// The password of a voicemail box comes first in its line, after a dash (it cannot be changed by phone).
const boxPassword = /^(\s*[\w.*#]+\s*=>?\s*)-[^,\n]*/gm;

// Every parameter of FreeSWITCH's gateways and users that holds a secret.
const secretParameter = /(<param name="(?:password|a1-hash|vm-password|contact-params)" value=")[^"]*/g;

// Expressions that PINs, and the contacts of trunks, are held against.
const secretCondition = /(field="\$\{(?:sipctl_pin|sip_req_params)\}" expression=")[^"]*/g;
const secretDigits = /( sipctl_pin )\^\S+/g;

/** A rendered text whose secrets are hidden; equal secrets do not look equal. */
export const maskSecrets = (text: string): string =>
  [secretOption, boxPassword, secretParameter, secretCondition, secretDigits].reduce(
    (masked, secret) => masked.replace(secret, '$1[secret]'),
    text,
  );
