import { word } from '../words.ts';
import { action, always, type Context, condition, dialled, extension, hangup, transfer } from './dialplan.ts';
import { type Plan, transferor, transferredBy } from './plan.ts';

const unallocated = 1;

/**
 * Where a call comes that a phone or a carrier transfers (REFER, RFC 3515): in the name of the user who does so, as if that
 * one dialled; others can name the tenant's extensions only.
 */
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
