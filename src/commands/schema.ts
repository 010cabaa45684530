import { siteSchema } from '../site-file/schema.ts';
import type { VerbSpec } from './command.ts';

export const schema: VerbSpec = {
  name: 'schema',
  summary: 'print the JSON Schema of site files, for editors',
  examples: ['sipctl schema > sipctl.schema.json'],
  run: async () => {
    const data = siteSchema();
    return { data, text: () => `${JSON.stringify(data, null, 2)}\n` };
  },
};
