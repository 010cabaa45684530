import { describe, expect, it } from 'vitest';
import { parseConf } from '../../../../src/platforms/asterisk/conf/parse.ts';
import { parseRendered } from '../../../../src/platforms/asterisk/conf/rendered.ts';
import { loadTemplates } from '../../../../src/platforms/asterisk/render/compiled.ts';
import { renderTenant } from '../../../../src/platforms/asterisk/render/render.ts';
import { shippedCatalog, siteOf, trunkOf } from './sample-site.ts';

const catalog = await shippedCatalog();
const templates = await loadTemplates(catalog, '16');
const provider = catalog.providers.get('custom_credential');
if (provider === undefined) throw new Error('the template is gone');

function objects(options: readonly string[]) {
  const trunk = trunkOf(provider as NonNullable<typeof provider>, 'credential', { options });
  const [file] = renderTenant(siteOf({ trunks: [trunk] }), { transports: {}, templates });
  const text = file?.text.toString('utf8') ?? '';
  expect(parseConf(text).items.filter(({ kind }) => kind === 'fault')).toEqual([]);
  return new Map(parseRendered(text)[0]?.objects.map(({ type, options: found }) => [type, found]));
}
const plain = objects([]);

describe('options of an object', () => {
  it('take the place of the template’s line, add one, or leave one out', () => {
    const found = objects(['endpoint.direct_media=yes', 'endpoint.rtp_timeout=30', 'endpoint.send_pai=']);
    const expected = (plain.get('endpoint') ?? [])
      .filter(([name]) => name !== 'send_pai')
      .map(([name, value]) => (name === 'direct_media' ? [name, 'yes'] : [name, value]));
    expect(found.get('endpoint')).toEqual([...expected, ['rtp_timeout', '30']]);
    for (const type of ['registration', 'auth', 'aor']) expect(found.get(type)).toEqual(plain.get(type));
  });

  it('add variables to those of sipctl', () => {
    const variables = objects(['endpoint.set_var=A=1,2', 'endpoint.set_var=B=x;y'])
      .get('endpoint')
      ?.flatMap(([name, value]) => (name === 'set_var' ? [value] : []));
    expect(variables?.slice(-2)).toEqual(['A=1,2', 'B=x;y']);
    expect(variables).toHaveLength(5);
  });

  it('hold whatever a line can, and open no section', () => {
    const value = '>[evil];--\\;type=endpoint $1 {{id}}';
    const found = objects([`endpoint.from_user=${value}`]);
    expect(found.get('endpoint')).toContainEqual(['from_user', value]);
    expect([...found.keys()]).toEqual([...plain.keys()]);
  });

  it('for a section that the object does not have change nothing', () => {
    expect(objects(['identify.match_header=X-A: b', 'gateway.ping=3'])).toEqual(plain);
  });

  it('that this Asterisk does not know are refused', () => {
    expect(() => objects(['aor.qualify_2xx_only=yes'])).toThrow('has no option aor.qualify_2xx_only');
  });
});
