import { expect, it } from 'vitest';
import { isPostgresUrl, withoutPassword } from '../../src/model/database-url.ts';

it.each([
  ['postgres://ann@db.example/site', 'postgres://ann@db.example/site', null],
  ['postgres://ann:s3cret@db.example:6432/site', 'postgres://ann@db.example:6432/site', 's3cret'],
  [
    'postgresql://ann:a%40b%3Ac@[::1]/site?sslmode=require',
    'postgresql://ann@[::1]/site?sslmode=require',
    'a@b:c',
  ],
  ['postgres://ann:a@b:c@db.example/site', 'postgres://ann@db.example/site', 'a@b:c'],
  ['postgres://ann:@db.example/site', 'postgres://ann@db.example/site', ''],
  ['postgres:///site?host=/run&password=x&port=1', 'postgres:///site?host=/run&port=1', 'x'],
  ['postgres:///site?password=x', 'postgres:///site', 'x'],
  ['postgres:///site?password=x&port=1', 'postgres:///site?port=1', 'x'],
  ['postgres://ann:p%zz@db.example/site', 'postgres://ann@db.example/site', 'p%zz'],
])('takes the password out of %s', (given, url, password) => {
  const found = withoutPassword(given);
  expect([found.url, found.password?.reveal() ?? null]).toEqual([url, password]);
  expect(isPostgresUrl(found.url)).toBe(true);
});

it.each([
  '/var/lib/site.db',
  'postgres',
  'postgres.db',
  './postgres:/x',
  'mysql://x',
])('takes %s for a path', (path) => {
  expect(isPostgresUrl(path)).toBe(false);
});
