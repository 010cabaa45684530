import { afterAll } from 'vitest';
import { type AsteriskSuite, describeAsterisk } from '../asterisk.ts';
import { sippAvailable } from '../sipp.ts';
import { type CallSite, startCallSite } from './call-site.ts';
import { declareCases } from './lanes.ts';
import { outsideMissing } from './outside.ts';
import { tableCases, tableSite } from './table-cases.ts';

function suite(asterisk: AsteriskSuite): void {
  let site: CallSite;
  declareCases(tableCases, async () => {
    site = await startCallSite(asterisk, tableSite);
    return site;
  });
  afterAll(() => site?.stop());
}

describeAsterisk('the table of calls', suite, outsideMissing ?? sippAvailable());
