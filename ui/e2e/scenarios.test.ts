// Every scenario of docs/scenarios.md is run by a test that has its id.
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

test('every scenario that runs in a browser has its test, and every test its scenario', () => {
  const table = readFileSync(join(import.meta.dirname, '../../docs/scenarios.md'), 'utf8');
  const listed = [...table.matchAll(/^\| ([a-z-]+) \|.*\| ([a-z, ]+) \|$/gm)].filter(([, id]) => id !== 'id').flatMap(([, id, where]) => (where?.includes('browser') && id ? [id] : []));
  const named = readdirSync(import.meta.dirname)
    .filter((file) => file.endsWith('.test.ts'))
    .flatMap((file) => [...readFileSync(join(import.meta.dirname, file), 'utf8').matchAll(/^\s*test\(['`]([a-z-]+):/gm)].flatMap(([, id]) => (id ? [id] : [])));
  expect(listed.length).toBeGreaterThan(20);
  expect([...new Set(named)].sort()).toEqual([...listed].sort());
});
