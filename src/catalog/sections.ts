import type { Sections } from '../model/template.ts';

/** What a template file says of its sections: an option or a whole section that is null is taken away. */
export type SectionChanges = Readonly<Record<string, Readonly<Record<string, string | null>> | null>>;

/** The object types of pjsip.conf that a template can write, in the order of the file. */
const sectionTypes = ['registration', 'auth', 'aor', 'endpoint', 'identify'] as const;

/** The sections of a base with changes laid over them. Options keep their place, new ones follow. */
export function inherit(base: Sections, changes: SectionChanges): Sections {
  const sections: Record<string, Record<string, string>> = {};
  for (const type of sectionTypes) {
    const changed = changes[type];
    if (changed === null) continue;
    const options = merged(base[type] ?? {}, changed ?? {});
    if (Object.keys(options).length > 0) sections[type] = options;
  }
  return sections;
}

function merged(
  base: Readonly<Record<string, string>>,
  changes: Readonly<Record<string, string | null>>,
): Record<string, string> {
  const entries = Object.entries({ ...base, ...changes });
  return Object.fromEntries(entries.filter((entry): entry is [string, string] => entry[1] !== null));
}
