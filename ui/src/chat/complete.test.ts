import { expect, test } from 'vitest';
import { chosen, namingAt, options } from './complete.ts';

const named = (text: string, caret = text.length) => namingAt(text, caret);

test('files are named after an @ and commands at the very beginning', () => {
  expect(named('@')).toEqual({ kind: 'file', from: 0, to: 1, query: '' });
  expect(named('look at @src/ma')).toEqual({ kind: 'file', from: 8, to: 15, query: 'src/ma' });
  expect(named('look at @src/ma please', 12)).toEqual({ kind: 'file', from: 8, to: 12, query: 'src' });
  expect(named('me@example.com')).toBeUndefined();
  expect(named('@a b')).toBeUndefined();
  expect(named('/com')).toEqual({ kind: 'command', from: 0, to: 4, query: 'com' });
  expect(named('say /com')).toBeUndefined();
  expect(named('/home/me')).toBeUndefined();
  expect(named('')).toBeUndefined();
});

test('an option takes the place of what was written', () => {
  const put = (text: string, caret: number, option: string, goesOn = false) => {
    const naming = namingAt(text, caret);
    if (naming === undefined) throw new Error(text);
    return chosen(text, naming, { text: option, label: option, note: undefined, goesOn });
  };
  expect(put('read @sr', 8, '@src/', true)).toEqual({ text: 'read @src/', caret: 10 });
  expect(put('read @REA', 9, '@README.md')).toEqual({ text: 'read @README.md ', caret: 16 });
  expect(put('read @REA now', 9, '@README.md')).toEqual({ text: 'read @README.md now', caret: 15 });
});

test('folders are walked, and what begins as written comes first', async () => {
  const entry = (name: string, kind: 'file' | 'folder') => ({ name, kind, bytes: 0, modified_ms: 0, status: null, ignored: false });
  const folders: Record<string, ReturnType<typeof entry>[]> = {
    '': [entry('src', 'folder'), entry('README.md', 'file'), entry('.git', 'folder'), entry('two words', 'file')],
    src: [entry('domain.rs', 'file'), entry('main.rs', 'file')],
    '.claude/commands': [entry('ship.md', 'file'), entry('notes.txt', 'file')],
  };
  const client = {
    folder: (_: string, path: string) => {
      const entries = folders[path];
      return entries === undefined ? Promise.reject(new Error('none')) : Promise.resolve({ path, entries: entries as never[], truncated: false });
    },
  };
  const ask = async (agent: 'claude' | 'codex', text: string) => {
    const naming = namingAt(text, text.length);
    if (naming === undefined) throw new Error(text);
    return (await options(client, { id: 's', agent }, naming)).map(({ text }) => text);
  };
  expect(await ask('claude', '@')).toEqual(['@src/', '@README.md']);
  expect(await ask('claude', '@.g')).toEqual(['@.git/']);
  expect(await ask('claude', '@src/ma')).toEqual(['@src/main.rs', '@src/domain.rs']);
  expect(await ask('claude', '/s')).toEqual(['/ship', '/security-review', '/status']);
  expect(await ask('codex', '/s')).toEqual(['/status']);
});
