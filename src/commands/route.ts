import type { App } from '../app.ts';
import { type Route, route } from '../model/call-nouns.ts';
import { checkRoute } from '../model/check-calls.ts';
import { tenantIsThere, trunksNamed } from './call-surroundings.ts';
import { type Findings, nounCommand, type ObjectDraft } from './noun-verbs.ts';
import { routeSimulate } from './route-simulate.ts';

async function checkAround(draft: ObjectDraft, app: App): Promise<Findings> {
  if (!(await tenantIsThere(app, draft))) return { problems: [], warnings: [] };
  const { records } = await app.store();
  const values = draft.values as unknown as Route;
  const routes = (await records.list(route, { tenant: draft.ref.tenant })) as unknown as Route[];
  const trunks = await trunksNamed(app, draft, values.trunks);
  return { problems: checkRoute(values, draft.ref.name, { routes, trunks }), warnings: [] };
}

export const routeCommand = nounCommand({
  noun: route,
  summary: 'which trunks outbound calls take',
  listed: ['match', 'trunks', 'strip', 'prepend', 'callerId'],
  examples: [
    'sipctl route add national --tenant acme --match +49 --trunks telnyx_main,backup',
    'sipctl route add service --match 116117 --trunks telnyx_main',
  ],
  more: [routeSimulate],
  checkAround,
});
