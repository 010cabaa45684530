import type { Problem } from '../../errors.ts';
import type { Value } from '../field.ts';

/** An account signs in with its auth token, or with an API key and its secret. */
export function accountProblems(values: Readonly<Record<string, Value>>): Problem[] {
  const has = (name: string): boolean => (values[name] ?? null) !== null;
  if (has('apiKey') !== has('apiSecret')) {
    const [missing, flag] = has('apiKey') ? ['apiSecret', 'api-secret-stdin'] : ['apiKey', 'api-key'];
    const message = `${missing}: an API key goes with its secret`;
    return [{ code: 'missing_api_key', message, field: missing, hint: `give --${flag}` }];
  }
  if (has('authToken') || has('apiKey')) return [];
  return [
    {
      code: 'missing_auth_token',
      message: 'authToken: a Twilio account needs it, or an API key',
      field: 'authToken',
      hint: 'give --auth-token-stdin, --auth-token-file or --auth-token env:NAME; or --api-key and --api-secret-stdin',
    },
  ];
}
