import { SipctlError } from '../../../errors.ts';
import type { CallingUser, DialledTarget } from '../../control-plane.ts';
import { namesOf } from '../dialplan/plan.ts';
import { xmlLocate } from '../esl/commands.ts';
import type { Ask } from '../esl/replies.ts';
import { runningElement } from '../running-xml.ts';
import { attributeOf, childrenNamed, type Element } from '../xml/element.ts';
import { verbError } from './verbs.ts';

/** Where in FreeSWITCH's dialplan a call is sent. */
export interface Place {
  extension: string;
  context: string;
}

/**
 * Where a call of a tenant goes that nobody dialled: to an extension, a number of its own, or out in the tenant's name. Held
 * against the dialplan that runs: FreeSWITCH transfers to whatever it is told, and the call is gone.
 * @throws SipctlError `invalid`, `notFound` where nobody has the extension, `refused` where the tenant is not on this node
 */
export async function placeOf(ask: Ask, { tenant, dialled }: DialledTarget): Promise<Place> {
  const extension = dialable(dialled);
  const names = namesOf(tenant);
  if (!extension.startsWith('+')) return place(ask, names.context('extensions'), extension, tenant);
  const own = await runningElement(ask, 'dialplan', 'context', names.context('numbers'));
  if (own !== null && takes(own, extension)) return { extension, context: names.context('numbers') };
  return place(ask, names.context('external'), extension, tenant);
}

/** Where a user of the tenant dials this. @throws SipctlError like `placeOf` */
export async function dialledBy(ask: Ask, { tenant }: CallingUser, to: string): Promise<Place> {
  const context = `t-${tenant}`;
  if ((await xmlLocate(ask, 'dialplan', 'context', 'name', context)) === null) throw absent(tenant);
  return { extension: dialable(to), context };
}

async function place(ask: Ask, context: string, extension: string, tenant: string): Promise<Place> {
  const found = await runningElement(ask, 'dialplan', 'context', context);
  if (found === null) throw absent(tenant);
  if (takes(found, extension)) return { extension, context };
  throw verbError(
    'notFound',
    'no_extension',
    `nobody of tenant ${tenant} has ${extension}`,
    'give an extension of the tenant, or a number as +15551234567',
  );
}

const takes = (context: Element, number: string): boolean =>
  childrenNamed(context, 'extension')
    .flatMap((one) => childrenNamed(one, 'condition'))
    .filter((one) => attributeOf(one, 'field') === 'destination_number')
    .some((one) => new RegExp(attributeOf(one, 'expression') ?? '(?!)').test(number));

/** @throws SipctlError `invalid` for what would mean something else in a command or dial string */
function dialable(text: string): string {
  if (/^\+?[0-9*#]{1,40}$/.test(text)) return text;
  throw new SipctlError('invalid', {
    code: 'invalid_number',
    message: `${JSON.stringify(text)} cannot be dialled`,
    field: 'to',
    hint: 'write it as +15551234567, or as an extension',
  });
}

const absent = (tenant: string): SipctlError =>
  verbError(
    'refused',
    'no_context',
    `this FreeSWITCH has no dialplan of tenant ${tenant}`,
    'run sipctl apply, and reload what it says',
  );
