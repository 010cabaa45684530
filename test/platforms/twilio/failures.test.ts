import { describe, expect, it } from 'vitest';
import { answeredError, isUndecided } from '../../../src/platforms/twilio/failures.ts';

const account = 'AC0123456789abcdef0123456789abcdef';
const errorOf = (status: number, code: number, message = 'what Twilio says') =>
  answeredError({ status, code, message }, 'making the trunk', account);

describe('what Twilio refuses', () => {
  it.each([
    [401, 20003, 'refused', 'twilio_denied'],
    [403, 20003, 'refused', 'twilio_denied'],
    [403, 20005, 'refused', 'twilio_account_inactive'],
    [403, 20008, 'refused', 'twilio_test_credentials'],
    [403, 20403, 'refused', 'twilio_forbidden'],
    [404, 20404, 'notFound', 'twilio_not_found'],
    [409, 20409, 'conflict', 'twilio_conflict'],
    [429, 20429, 'unreachable', 'twilio_busy'],
    [429, 0, 'unreachable', 'twilio_busy'],
    [500, 20500, 'unreachable', 'twilio_server_error'],
    [503, 0, 'unreachable', 'twilio_server_error'],
    [400, 21248, 'conflict', 'twilio_domain_taken'],
    [400, 21244, 'refused', 'twilio_limit'],
    [400, 21249, 'refused', 'twilio_limit'],
    [400, 21243, 'failed', 'twilio_refused'],
    [400, 20001, 'failed', 'twilio_refused'],
    [422, 0, 'failed', 'twilio_refused'],
  ])('with status %i and code %i ends as %s, %s, with a remedy', (status, code, outcome, name) => {
    const error = errorOf(status, code);
    expect(error.outcome).toBe(outcome);
    expect(error.problems).toHaveLength(1);
    const [problem] = error.problems;
    expect(problem?.code).toBe(name);
    expect(problem?.message).toMatch(/ while making the trunk: what Twilio says/);
    expect(problem?.hint?.length).toBeGreaterThan(20);
    const page = `https://www.twilio.com/docs/api/errors/${code}`;
    if (code === 0) expect(problem?.hint).not.toContain('docs/api/errors');
    else expect(problem?.hint).toContain(page);
  });

  it('is told on one line, without what disturbs a terminal, also where nothing was said', () => {
    expect(errorOf(400, 0, 'one\u001b[31m\ntwo').message).toBe(
      'Twilio refused while making the trunk: one [31m two',
    );
    expect(errorOf(502, 0, '').message).toBe('Twilio failed while making the trunk: HTTP 502');
  });

  it('is undecided only where it may have been done all the same', () => {
    expect([errorOf(500, 0), errorOf(503, 20500)].map(isUndecided)).toEqual([true, true]);
    const decided = [errorOf(429, 20429), errorOf(401, 20003), errorOf(400, 21248), new Error('x'), null];
    expect(decided.map(isUndecided)).toEqual(Array(5).fill(false));
  });
});
