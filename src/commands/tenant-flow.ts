import type { App } from '../app.ts';
import { SipctlError } from '../errors.ts';
import { calendarDay } from '../model/recording.ts';
import { resolveSite } from '../model/resolve.ts';
import type { ResolvedSite, TenantSite } from '../model/site.ts';

/** The tenant of this run as stored, and as it would be rendered. @throws SipctlError `notFound` */
export async function tenantFlow(app: App): Promise<{ site: TenantSite; resolved: ResolvedSite }> {
  const site = await (await app.store()).tenantSite(app.config.tenant);
  return { site, resolved: resolveSite(site, await app.catalog()) };
}

/** A number without what people put between its digits: blanks, dots, dashes, brackets and slashes. */
export const bareNumber = (text: string): string => text.replace(/[\s().\-/\u2010-\u2013]/g, '');

/** A moment as ISO 8601 writes it; UTC where no offset is said. @throws SipctlError `invalid` */
export function momentOf(text: string): Date {
  const shape = /^\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2})?)?(?:Z|[+-]\d{2}:\d{2})?$/;
  const iso = text.trim().replace(' ', 'T');
  const date = new Date(iso.includes('T') && !/(?:Z|[+-]\d{2}:\d{2})$/.test(iso) ? `${iso}Z` : iso);
  if (shape.test(text.trim()) && !Number.isNaN(date.getTime()) && calendarDay(iso.slice(0, 10)).ok)
    return date;
  throw new SipctlError('invalid', {
    code: 'invalid_at',
    message: `at: '${text}' is not a moment`,
    field: 'at',
    hint: 'write 2026-11-21T10:05+01:00, or 2026-11-21T09:05 for UTC',
  });
}
