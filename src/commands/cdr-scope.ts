import type { App } from '../app.ts';
import { SipctlError } from '../errors.ts';
import type { StoredCallRecord } from '../store/call-records.ts';

/** The kept call of this number or id, or of the beginning or the end of its id. @throws SipctlError `notFound`, `invalid` */
export async function pickRecord(app: App, id: string, allTenants: boolean): Promise<StoredCallRecord> {
  const store = await app.store();
  const tenant = allTenants ? undefined : app.config.tenant;
  const [found, ...more] = store.findCallRecords(id, { tenant, limit: 6 });
  if (found === undefined) {
    throw new SipctlError('notFound', {
      code: 'cdr_not_found',
      message: `there is no call '${id}' among those that were kept`,
      field: 'cdr',
      hint: 'sipctl cdr list shows them; --tenant names whose, --all-tenants all',
    });
  }
  if (more.length === 0) return found;
  throw new SipctlError('invalid', {
    code: 'cdr_ambiguous',
    message: `cdr: '${id}' may be ${[found, ...more].map((one) => `${one.id} (${one.call} on ${one.node})`).join(', ')}`,
    field: 'cdr',
    hint: 'give the number that cdr list shows first',
  });
}
