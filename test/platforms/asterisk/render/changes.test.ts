import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Secret } from '../../../../src/model/secret.ts';
import type { UserTemplate } from '../../../../src/model/template.ts';
import { objectChanges } from '../../../../src/platforms/asterisk/render/changes.ts';
import { loadTemplates } from '../../../../src/platforms/asterisk/render/compiled.ts';
import { renderTenant } from '../../../../src/platforms/asterisk/render/render.ts';
import { shippedCatalog, siteOf, userOf } from './sample-site.ts';

const catalog = await shippedCatalog();
const templates = await loadTemplates(catalog, '16');
const basic = catalog.users.get('basic_user') as UserTemplate;
const mobile = catalog.users.get('mobile_user') as UserTemplate;

const textOf = (...users: ReturnType<typeof userOf>[]): Buffer =>
  renderTenant(siteOf({ users }), { transports: {}, templates })[0]?.text as Buffer;

const ann = userOf(basic, { username: 'ann' });
const bob = userOf(basic, { username: 'bob' });

describe('changes between two texts', () => {
  test('equal texts differ in nothing', () => {
    expect(objectChanges('acme', textOf(ann, bob), textOf(ann, bob))).toEqual([]);
  });

  test('a missing side is all created, or all deleted, by name', () => {
    const named = (action: string) =>
      ['ann', 'bob'].map((name) => ({ action, kind: 'user', tenant: 'acme', name, options: [] }));
    expect(objectChanges('acme', null, textOf(ann, bob))).toEqual(named('create'));
    expect(objectChanges('acme', textOf(ann, bob), null)).toEqual(named('delete'));
  });

  test('one object comes, one goes, and the third is not named', () => {
    const cid = userOf(basic, { username: 'cid' });
    const changes = objectChanges('acme', textOf(ann, bob), textOf(bob, cid));
    expect(changes.map(({ action, name }) => [action, name])).toEqual([
      ['delete', 'ann'],
      ['create', 'cid'],
    ]);
  });

  test('options that differ are named with both values, read back from their escapes', () => {
    const after = userOf(basic, { username: 'ann', displayName: 'A;B', mailbox: null });
    const [change] = objectChanges('acme', textOf(ann), textOf(after));
    expect(change).toMatchObject({ action: 'update', kind: 'user', name: 'ann' });
    expect(change?.options).toEqual(
      expect.arrayContaining([
        { section: 'endpoint', option: 'callerid', before: '"Ann Example" <1001>', after: '"A;B" <1001>' },
        { section: 'aor', option: 'mailboxes', before: '1001@default', after: null },
      ]),
    );
  });

  test('another template shows as options too', () => {
    const [change] = objectChanges('acme', textOf(ann), textOf(userOf(mobile, { username: 'ann' })));
    expect(change?.options).toEqual(
      expect.arrayContaining([{ section: 'aor', option: 'max_contacts', before: '1', after: '5' }]),
    );
  });

  test('a changed password is seen, and not shown', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[!-~]{6,30}$/), fc.stringMatching(/^[!-~]{6,30}$/), (was, is) => {
        const withPassword = (password: string) => textOf(userOf(basic, { password: new Secret(password) }));
        const changes = objectChanges('acme', withPassword(was), withPassword(is));
        expect(changes.flatMap(({ options }) => options)).toEqual(
          was === is ? [] : [{ section: 'auth', option: 'password', before: '[secret]', after: '[secret]' }],
        );
      }),
      { numRuns: 50 },
    );
  });

  test('a text that somebody edited does not stop it', () => {
    const edited = Buffer.from(`${textOf(ann, bob)}[stray\n;-- \n`);
    expect(() => objectChanges('acme', edited, textOf(ann))).not.toThrow();
    expect(objectChanges('acme', Buffer.from('\0\xff'), textOf(ann))).toMatchObject([{ action: 'create' }]);
  });
});
