import { afterAll } from 'vitest';
import { sippAvailable } from '../sipp.ts';
import { type CallSite, startCallSite } from './call-site.ts';
import { declareCases } from './lanes.ts';
import { outsideMissing } from './outside.ts';
import { describePbxs, type StartPbx } from './pbx.ts';
import { tableCases, tableSite } from './table-cases.ts';

/** Calls of one tenant wait for each other: every PBX takes its part of the table, and they work at the same time. */
const machines = 2;

function suite(start: StartPbx): void {
  const sites: CallSite[] = [];
  for (let machine = 0; machine < machines; machine += 1) {
    declareCases(
      tableCases.filter((_, at) => at % machines === machine),
      async () => {
        const site = await startCallSite(start, tableSite);
        sites.push(site);
        return site;
      },
    );
  }
  afterAll(async () => {
    await Promise.all(sites.map((site) => site.stop()));
  });
}

describePbxs('the table of calls', suite, outsideMissing ?? sippAvailable());
