import { describe, expect, test } from 'vitest';
import { Client, pathFor } from './client.ts';
import { ApiError } from './error.ts';
import { splitLines } from './lines.ts';
import type { Answer, Transport } from './transport.ts';

test('a name cannot leave its place in a path', () => {
  expect(pathFor('Session', '../daemon?x')).toBe('/api/sessions/..%2Fdaemon%3Fx');
  expect(pathFor('File', 'a', { path: 'src/ü & b.ts' })).toBe('/api/sessions/a/file?path=src%2F%C3%BC+%26+b.ts');
  expect(pathFor('Console', 'a', { from: undefined })).toBe('/ws/console/a');
});

describe('an answer', () => {
  const client = (answer: Answer) => new Client({ request: () => Promise.resolve(answer) } as unknown as Transport);

  test('of success is the value', async () => {
    expect(await client({ status: 200, json: [] }).sessions()).toEqual([]);
  });

  test('of failure is the daemon’s sentence and hint', async () => {
    const asked = client({ status: 404, json: { code: 'not_found', message: 'There is no session x.', hint: 'List them.' } }).session('x');
    await expect(asked).rejects.toMatchObject({ code: 'not_found', message: 'There is no session x.', hint: 'List them.' });
  });

  test('without a sentence still says something', async () => {
    await expect(client({ status: 502, json: null }).daemon()).rejects.toBeInstanceOf(ApiError);
  });
});

test('lines are whole however the bytes were cut', async () => {
  const bytes = new TextEncoder().encode('{"a":"ü"}\n\n{"b":1}\n{"c":2}');
  for (const size of [1, 2, 3, 7, 100]) {
    const stream = new ReadableStream<Uint8Array>({
      start(controller) {
        for (let at = 0; at < bytes.length; at += size) controller.enqueue(bytes.slice(at, at + size));
        controller.close();
      },
    });
    const found: unknown[] = [];
    for await (const value of splitLines(stream)) found.push(value);
    expect(found).toEqual([{ a: 'ü' }, { b: 1 }, { c: 2 }]);
  }
});
