import type { App } from '../app.ts';
import { formatDestination } from '../model/destination.ts';
import type { CallFlow, InboundNumber } from '../model/flow/call-flow.ts';
import { understand } from '../model/flow/explain-number.ts';
import { numberingPlan } from '../model/flow/numbering.ts';
import { type ScheduleState, scheduleAt } from '../model/flow/open-hours.ts';
import { toWire, wireFormat } from '../model/flow/wire-format.ts';
import { numberArrivesIn } from '../model/inbound-trunk.ts';
import * as nouns from '../model/nouns.ts';
import { type ExplainedNumber, explanationText, type ParsedNumber } from '../report/number.ts';
import type { Run, VerbSpec } from './command.ts';
import { bareNumber, tenantFlow } from './tenant-flow.ts';

const run: Run = async (app, { args }) => {
  const given = args[0] as string;
  const bare = bareNumber(given);
  const { site, resolved } = await tenantFlow(app);
  const { flow, trunks } = resolved;
  const understood = understand(flow, bare);
  const canonical = understood?.canonical ?? null;
  const number = flow.inbound.find((one) => one.number === canonical) ?? null;
  const plan = numberingPlan(site.tenant.country);
  const explained: ExplainedNumber = {
    given,
    bare,
    parsed: await parsed(canonical ?? bare, site.tenant.country),
    understood,
    owner: canonical === null ? null : await ownerOf(app, canonical),
    forms: number?.forms ?? [],
    trunks: trunks.map((trunk) => ({
      trunk: trunk.name,
      writes: canonical === null ? null : toWire(canonical, wireFormat(trunk.numberFormat, plan)),
      arrives: trunk.inbound ? numberArrivesIn(trunk) : null,
    })),
    ...leads(flow, number, app.now()),
  };
  return { data: explained, text: (style) => explanationText(explained, style) };
};

async function parsed(text: string, country: string): Promise<ParsedNumber | null> {
  const { parsePhoneNumberFromString } = await import('libphonenumber-js/max');
  const found = parsePhoneNumberFromString(text, country as never);
  if (found === undefined) return null;
  return {
    number: found.number,
    country: found.country ?? null,
    callingCode: found.countryCallingCode,
    type: found.getType() ?? null,
    valid: found.isValid(),
    international: found.formatInternational(),
  };
}

// Numbers are unique across tenants, so there is one owner at most.
async function ownerOf(app: App, canonical: string): Promise<ExplainedNumber['owner']> {
  const { records } = await app.store();
  const all = (await records.list(nouns.number)) as unknown as nouns.PhoneNumber[];
  const found = all.find(({ number }) => number === canonical);
  if (found === undefined) return null;
  const { tenant, enabled, inbound, outbound, trunk } = found;
  return { tenant, enabled, inbound, outbound, trunk };
}

function leads(
  flow: CallFlow,
  number: InboundNumber | null,
  now: Date,
): { schedule: ({ name: string } & ScheduleState) | null; destination: string | null } {
  if (number === null) return { schedule: null, destination: null };
  const schedule = flow.schedules.find(({ name }) => name === number.schedule);
  if (schedule === undefined) return { schedule: null, destination: formatDestination(number.destination) };
  const state = scheduleAt(schedule, now);
  const to = state.result === 'open' ? number.destination : schedule.closed;
  return { schedule: { name: schedule.name, ...state }, destination: formatDestination(to) };
}

/** Shows each step from a number as somebody writes it to where it leads, and how carriers write it. */
export const numberExplain: VerbSpec = {
  name: 'explain',
  summary: 'show how a number is read, whose it is, how each trunk writes it, and where it leads',
  args: '<number>',
  examples: ['sipctl number explain "(555) 123-4567" --tenant acme'],
  run,
};
