import { word } from '../words.ts';
import {
  type Action,
  action,
  always,
  type Context,
  condition,
  dialled,
  extension,
  hangup,
  set,
  share,
  transfer,
} from './dialplan.ts';
import type { Names, Plan } from './plan.ts';

const unallocated = 1;

/**
 * What a call carries for the case that a phone or a carrier transfers it (REFER, RFC 3515). By itself FreeSWITCH would
 * hold the new number against the context of the other one's call, which may be behind all questions of who may call
 * where. Each leg knows whom it is transferred by: the one at its other end, where that is a user.
 */
export const transferable = (names: Names, caller: '' | '${sipctl_caller}'): Action[] => [
  share('force_transfer_context', names.context('transferred')),
  share(`nolocal:${transferor}`, caller),
];

/** Says of the caller's own leg who is at its other end from now on: the extension of a user, or nobody who may dial. */
export const transferredBy = (extension: string | null): Action =>
  set(transferor, extension === null ? '' : word(extension));

const transferor = 'sipctl_transferor';

/** In the name of the user who transfers, as if that one dialled; others can name the tenant's extensions only. */
export const transferredContext = ({ names, domain, flow }: Plan): Context => ({
  name: names.context('transferred'),
  extensions: [
    ...(flow.users.length === 0
      ? []
      : [
          extension('by a user', [
            condition(`\${${transferor}}`, '^[+*#0-9]+$'),
            dialled('^([+*#0-9]+)$', [
              action('set_user', `\${${transferor}}@${word(domain)}`),
              transferredBy(null),
              transfer(`t-${names.tenant}`, '$1'),
            ]),
          ]),
        ]),
    extension('by anybody else', [dialled('^([+*#0-9]+)$', [transfer(names.context('extensions'), '$1')])]),
    extension('nowhere', [always(hangup(unallocated))]),
  ],
});
