import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, beforeEach, expect, it } from 'vitest';
import type { CallFlow } from '../../src/model/flow/call-flow.ts';
import { emptyFlow } from '../../src/model/flow/resolve-flow.ts';
import { renderCalls } from '../../src/platforms/asterisk/render/calls.ts';
import { loadTemplates, type Templates } from '../../src/platforms/asterisk/render/compiled.ts';
import type { Finding } from '../../src/platforms/target.ts';
import { company, defaultCompany, flowUser } from '../platforms/asterisk/dialplan/sample-flow.ts';
import { type AsteriskInstance, describeAsterisk } from './asterisk.ts';
import { complaintsSince } from './attached.ts';
import { type LiveNode, liveNode } from './live-node.ts';

describeAsterisk('a dialplan', ({ start }) => {
  let asterisk: AsteriskInstance;
  let live: LiveNode;
  let templates: Templates;
  let whole: string;
  const extensions = (): string => join(asterisk.etc, 'extensions.conf');

  beforeAll(async () => {
    asterisk = await start({ etc: { 'before.conf': '' } });
    live = await liveNode(asterisk);
    templates = await loadTemplates(live.catalog, asterisk.major);
    writeFileSync(extensions(), `#include before.conf\n${readFileSync(extensions(), 'utf8')}`);
    await live.target.examine({ write: true });
    whole = readFileSync(extensions(), 'utf8');
  });

  beforeEach(() => {
    writeFileSync(extensions(), whole);
    writeFileSync(join(asterisk.etc, 'before.conf'), '');
  });

  const texts = (...flows: CallFlow[]): Record<string, string> =>
    Object.fromEntries(
      flows.flatMap((flow) => renderCalls(flow, templates).map(({ key, text }) => [key, text.toString()])),
    );
  const spoken = (findings: readonly Finding[]): string[] =>
    findings.map(({ object, code, message }) => `${code}: ${object}: ${message}`);

  it('with everything in it loads without a warning, and is found as it was delivered', async () => {
    const mark = asterisk.mark();
    expect(spoken(await live.deliver(texts(company, defaultCompany)))).toEqual([]);
    expect(await complaintsSince(asterisk, mark)).toEqual([]);
    expect(await asterisk.cli('voicemail show users')).toContain('Ann Lee');
    expect(await asterisk.cli('confbridge show profile user acme.board.moderator')).toContain('9999');
  });

  it('shows no PIN to whoever may read it', async () => {
    await live.deliver(texts(company));
    const shown = await asterisk.cli('dialplan show');
    expect(shown).toContain('t-acme.pin');
    for (const pin of ['4711', '1111', '9999', '8888']) expect(shown).not.toContain(pin);
  });

  it('is gone with its tenant, boxes included', async () => {
    await live.deliver(texts(company, defaultCompany));
    expect(spoken(await live.deliver(texts(defaultCompany)))).toEqual([]);
    expect(await asterisk.cli('dialplan show t-acme')).toContain('no existence');
    expect(await asterisk.cli('voicemail show users')).not.toContain('t-acme');
  });

  it('that is cut off is found missing, for tenants that did not change as well', async () => {
    const other = { ...emptyFlow('globex'), users: [flowUser('gus', '1001')] };
    await live.deliver(texts(company, other));
    writeFileSync(extensions(), `[open\n${whole}`);
    await expect(live.deliver(texts({ ...company, maxCalls: 3 }, other))).rejects.toThrow(
      'could not read everything that pbx_config.so takes',
    );
    const running = await live.target.connect();
    const obstacles = spoken(await running.obstacles());
    await running.close();
    expect(obstacles).toEqual([expect.stringContaining('syntax: file extensions.conf: line 1')]);
    writeFileSync(extensions(), whole.replace(/#include extensions_calls.conf\n/, ''));
    appendFileSync(extensions(), '#include cut.conf\n');
    writeFileSync(join(asterisk.etc, 'cut.conf'), '[open\n#include extensions_calls.conf\n');
    const cut = spoken(await live.deliver(texts({ ...company, maxCalls: 4 }, other)));
    expect(cut[0]).toContain('syntax: file cut.conf: line 1');
    expect(cut.join('\n')).toContain('missing: context t-acme.limits: ');
    expect(cut.join('\n')).toMatch(/missing: context t-globex\.\S+: /);
  });

  it('is not taken for whole where an extension does something else, or one more is there', async () => {
    const standing = texts(company);
    await live.deliver(standing);
    writeFileSync(
      join(asterisk.etc, 'before.conf'),
      '[t-acme.users]\nexten => 1002,1,Hangup(17)\nexten => 77,1,Echo()\n',
    );
    const findings = spoken(await live.deliver(texts({ ...company, maxCalls: 5 })));
    expect(findings).toContainEqual(
      'unexpected: context t-acme.users: context t-acme.users also has extension 77, which sipctl did not deliver',
    );
    expect(findings.join('\n')).toMatch(/differs: user bob: extension 1002 of t-acme.users /);
  });
});
