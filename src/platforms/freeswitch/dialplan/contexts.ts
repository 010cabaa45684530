import { trunkContext, userContext } from '../../../model/identity.ts';
import type { ResolvedTrunk, ResolvedUser } from '../../../model/site.ts';

/**
 * The context that calls enter. Two contexts of one name are not put together by FreeSWITCH, so the names of the documents
 * are left to the operator: the tenant that has them enters its own.
 */
export const contextOf = ({ context, tenant }: Pick<ResolvedTrunk, 'context' | 'tenant'>): string =>
  context === trunkContext(tenant) ? `from-trunk-${tenant}` : context;

export const userContextOf = ({ context, tenant }: Pick<ResolvedUser, 'context' | 'tenant'>): string =>
  context === userContext(tenant) ? `t-${tenant}` : context;
