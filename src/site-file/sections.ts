import { everyNoun } from '../model/every-noun.ts';
import type { Noun } from '../model/field.ts';

/** What a site file calls all objects of a noun: `users`, `twilioTrunks`. */
export const sectionOf = ({ table }: Noun): string =>
  table.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());

/** What stands below a tenant, besides its own fields. */
export const tenantSections: ReadonlyMap<string, Noun> = new Map(
  everyNoun.filter(({ tenantScoped }) => tenantScoped).map((noun) => [sectionOf(noun), noun]),
);

/** What stands at the top of a site file. */
export const topSections: ReadonlyMap<string, Noun> = new Map(
  everyNoun.filter(({ tenantScoped }) => !tenantScoped).map((noun) => [sectionOf(noun), noun]),
);
