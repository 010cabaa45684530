import { afterAll } from 'vitest';
import { sippAvailable } from '../sipp.ts';
import { type CallSite, startCallSite } from './call-site.ts';
import { heldCases } from './held-cases.ts';
import { inboundCases } from './inbound-cases.ts';
import { insideCases } from './inside-cases.ts';
import { declareCases } from './lanes.ts';
import { outsideMissing } from './outside.ts';
import { outsideCases } from './outside-cases.ts';
import { describePbxs, type StartPbx } from './pbx.ts';
import { callSite } from './sites.ts';

function suite(start: StartPbx): void {
  let site: CallSite;
  declareCases([...insideCases, ...outsideCases, ...inboundCases, ...heldCases], async () => {
    site = await startCallSite(start, callSite(new Date()));
    return site;
  });
  afterAll(() => site?.stop());
}

describePbxs('calls', suite, outsideMissing ?? sippAvailable());
