import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Exchange, startTwilio } from '../support/twilio/server.ts';
import { ensure, runOf } from '../support/twilio/trunk-site.ts';
import { type Prism, prismProgram, startPrism } from './prism.ts';
import { specificationFolder } from './twilio-specification.ts';

const prism = await prismProgram();
const specification = 'missing' in prism ? prism : await specificationFolder();
const missing = 'missing' in specification ? specification.missing : null;

// Another reading of the same documents than the one that all other tests are judged by.
describe.skipIf(missing !== null)(
  `what sipctl asks of Twilio, judged by Prism${missing === null ? '' : ` (skipped: ${missing})`}`,
  () => {
    const hosts: { trunking?: Prism; api?: Prism } = {};

    beforeAll(async () => {
      if ('missing' in prism || 'missing' in specification) return;
      const { program } = prism;
      const { folder } = specification;
      hosts.trunking = await startPrism(program, join(folder, 'twilio_trunking_v1.json'));
      hosts.api = await startPrism(program, join(folder, 'twilio_api_v2010.json'));
    });
    afterAll(async () => {
      await hosts.trunking?.end();
      await hosts.api?.end();
    });

    it('makes, finds and removes a trunk by requests that are all valid', async () => {
      const exchanges = await recordedRuns();
      expect(exchanges.length).toBeGreaterThan(40);
      for (const exchange of exchanges) {
        const { status, text } = await ask(exchange);
        expect(status, `${exchange.method} ${exchange.path} ${exchange.body}: ${text}`).toBeLessThan(300);
      }
    });

    it.each([
      ['a value that is none of those described', { body: 'Mode=always' }, 422],
      ['no credentials', { headers: {} }, 401],
    ])('would have seen %s', async (_, change, status) => {
      const recording = (await recordedRuns()).find(
        ({ method, path }) => method === 'POST' && path.endsWith('/Recording'),
      );
      if (recording === undefined) throw new Error('nothing was said about recording');
      expect((await ask({ ...recording, ...change })).status).toBe(status);
    });

    async function ask({
      method,
      path,
      query,
      headers,
      body,
    }: Exchange): Promise<{ status: number; text: string }> {
      const host = path.startsWith('/v1/') ? hosts.trunking : hosts.api;
      const names = ['authorization', 'content-type', 'accept'];
      const sent = names.flatMap((name) => (headers[name] ? [[name, String(headers[name])]] : []));
      const search = query.size > 0 ? `?${query}` : '';
      const response = await fetch(`${host?.url}${path}${search}`, {
        method,
        headers: Object.fromEntries(sent),
        ...(body !== '' && { body }),
      });
      return { status: response.status, text: await response.text() };
    }
  },
);

/** All that is sent while a trunk is made, looked at again, and removed. */
async function recordedRuns(): Promise<Exchange[]> {
  const server = await startTwilio();
  try {
    const memory = new Map();
    expect(await ensure(runOf(server, memory))).toMatchObject({ outcome: 'verified' });
    expect(await ensure(runOf(server, memory))).toMatchObject({ outcome: 'unchanged' });
    expect(await ensure(runOf(server, memory, {}, true))).toMatchObject({ outcome: 'verified' });
    return server.exchanges;
  } finally {
    await server.close();
  }
}
