import { describe, expect, it } from 'vitest';
import * as nouns from '../../src/model/nouns.ts';
import { Secret } from '../../src/model/secret.ts';
import type { ObjectEdit, SiteChange } from '../../src/plan/edits.ts';
import { planMarkdown } from '../../src/report/plan-markdown.ts';

const base = { revisions: new Map(), nodes: new Map() };
const edit = (name: string, to: ObjectEdit['values'][string] = '1001'): ObjectEdit => ({
  ...{ action: 'create', noun: nouns.user, tenant: 'acme', name, values: { extension: to }, place: null },
  fields: [{ field: to instanceof Secret ? 'password' : 'displayName', from: null, to, generated: false }],
});
const change = (edits: ObjectEdit[]): SiteChange => ({
  ...{ edits, unchanged: 3, held: 0, base },
  problems: [],
  warnings: [],
});
const shown = (edits: ObjectEdit[], diffs: [string, string][] = []): string =>
  planMarkdown({
    change: change(edits),
    plan: null,
    diffs: new Map(diffs),
    warnings: [{ code: 'x', message: 'a <b> @team `c`', place: { source: 's.yaml', line: 4, column: 1 } }],
  });

describe('a plan as Markdown', () => {
  it('sums up, lists, and warns', () => {
    expect(shown([edit('ann', 'Ann')])).toBe(`### sipctl plan

**Database**: 1 to add, 0 to change, 0 to remove, 3 unchanged.

#### Database

|  | Tenant | Object | Change |
| --- | --- | --- | --- |
| ➕ | \`acme\` | user \`ann\` | \`displayName: Ann\` |

#### Warnings

- \`s.yaml:4\` a \\<b\\> @\u200bteam \\\`c\\\`
`);
  });

  it('lets no value out of its cell, call people, or show a secret', () => {
    const text = shown([
      edit('a', 'x | y `z` @team\n| <img src=x>'),
      edit('b', new Secret('phone-Secret-9')),
    ]);
    expect(text).not.toContain('Secret-9');
    const rows = text.split('\n').filter((line) => line.startsWith('| ➕'));
    for (const row of rows) expect(row.replace(/\\\|/g, '').split('|')).toHaveLength(6);
    expect(rows[0]).toMatch(/`displayName: x \\\| y ˋzˋ @team \\\| <img src=x>` \|$/);
    expect(rows[1]).toContain('`password: [secret] set`');
  });

  it('stays below 60 kB, says what it left out, and closes what it opened', () => {
    const many = Array.from({ length: 5000 }, (_, at) => edit(`user${at}`, 'ö'.repeat(300)));
    const diff = `${'+ exten => 1,1,Dial(ä)```\n'.repeat(20_000)}`;
    for (const text of [
      shown(many),
      shown(many, [['pbx1', diff]]),
      shown(
        [edit('a')],
        [
          ['pbx1', diff],
          ['pbx2', diff],
        ],
      ),
    ]) {
      expect(Buffer.byteLength(text)).toBeLessThanOrEqual(60_000);
      expect(text).toMatch(/… and 4900 more|cut: sipctl plan/);
      expect(text.match(/<details>/g)?.length).toBe(text.match(/<\/details>/g)?.length);
      expect([...text.matchAll(/^`{4}(diff)?$/gm)].length % 2).toBe(0);
    }
  });
});
