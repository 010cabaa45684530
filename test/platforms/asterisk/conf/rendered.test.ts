import { describe, expect, test } from 'vitest';
import { parseRendered } from '../../../../src/platforms/asterisk/conf/rendered.ts';

describe('what sipctl rendered', () => {
  const text = `; a header
[outside]
type=endpoint

; === TRUNK: telnyx_main ===
[telnyx_main]
type=auth
username=a\\;b

[telnyx_main]
type=endpoint
set_var=A=1
set_var=B=2

; === END TRUNK: telnyx_main ===

; === SIP USER: ann (Mobile (new) SIP User) ===
[ann@acme.example]
type=aor

; === END SIP USER: ann ===
[after]
type=aor
`;

  test('comes back by its markers', () => {
    expect(parseRendered(text)).toEqual([
      {
        kind: 'trunk',
        name: 'telnyx_main',
        objects: [
          { type: 'auth', id: 'telnyx_main', options: [['username', 'a;b']] },
          {
            type: 'endpoint',
            id: 'telnyx_main',
            options: [
              ['set_var', 'A=1'],
              ['set_var', 'B=2'],
            ],
          },
        ],
      },
      { kind: 'user', name: 'ann', objects: [{ type: 'aor', id: 'ann@acme.example', options: [] }] },
    ]);
  });

  test('is told from values that look like markers', () => {
    const disguised = text.replace('a\\;b', 'a\\; === END TRUNK: telnyx_main ===');
    expect(parseRendered(disguised).map(({ name, objects }) => [name, objects.length])).toEqual([
      ['telnyx_main', 2],
      ['ann', 1],
    ]);
  });
});
