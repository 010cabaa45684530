import { randomInt } from 'node:crypto';
import type { Field } from '../model/field.ts';
import { Secret } from '../model/secret.ts';

const letters = 'abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789';
const generatedLength = 24;

/** A password of 24 letters and digits without look-alikes (139 bits), with both cases and a digit. */
export function generatedPassword(): string {
  for (;;) {
    const text = Array.from({ length: generatedLength }, () => letters[randomInt(letters.length)]).join('');
    if (/[a-z]/.test(text) && /[A-Z]/.test(text) && /[0-9]/.test(text)) return text;
  }
}

/** A secret that the field takes: a password, or eight digits where it takes no letters. */
export function generatedSecret({ rule }: Field): Secret {
  const password = generatedPassword();
  const pin = Array.from({ length: 8 }, () => String(randomInt(10))).join('');
  return new Secret(rule(password).ok ? password : pin);
}
