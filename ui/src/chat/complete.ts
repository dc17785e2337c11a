// What a composer offers while a file or a command is being named.

import type { Client } from '../api/client.ts';
import type { Agent } from '../api/types.ts';
import { offered } from './commands.ts';

/** A name that is being written: where it begins and ends, and what of it is there. */
export interface Naming {
  kind: 'file' | 'command';
  from: number;
  to: number;
  query: string;
}

export interface Option {
  /** What is put in the place of what was written. */
  text: string;
  label: string;
  note: string | undefined;
  /** Whether more is to be named after it, as in a folder. */
  goesOn: boolean;
}

const MOST = 50;

/** What is being named where the caret stands. */
export function namingAt(text: string, caret: number): Naming | undefined {
  const before = text.slice(0, caret);
  const command = /^\/([\w:-]*)$/.exec(before);
  if (command) return { kind: 'command', from: 0, to: caret, query: command[1] ?? '' };
  const file = /(?:^|\s)@([^\s@]*)$/.exec(before);
  if (!file) return undefined;
  const query = file[1] ?? '';
  return { kind: 'file', from: caret - query.length - 1, to: caret, query };
}

/** The text with an option in the place of what was written, and where the caret stands then. */
export function chosen(text: string, { from, to }: Naming, option: Option): { text: string; caret: number } {
  const end = option.goesOn || /^\s/.test(text.slice(to)) ? '' : ' ';
  const put = `${option.text}${end}`;
  return { text: `${text.slice(0, from)}${put}${text.slice(to)}`, caret: from + put.length };
}

/** The options for what is being named; none where there is nothing to offer. */
export async function options(client: Pick<Client, 'folder'>, session: { id: string; agent: Agent }, naming: Naming): Promise<Option[]> {
  if (naming.kind === 'file') return files(client, session.id, naming.query);
  const own = session.agent === 'claude' ? await projectCommands(client, session.id) : [];
  return [...own, ...offered(session.agent)]
    .filter(({ name }) => name.toLowerCase().startsWith(naming.query.toLowerCase()))
    .map(({ name, note }) => ({ text: `/${name}`, label: `/${name}`, note, goesOn: false }));
}

async function files(client: Pick<Client, 'folder'>, session: string, query: string): Promise<Option[]> {
  const cut = query.lastIndexOf('/') + 1;
  const [folder, begun] = [query.slice(0, cut), query.slice(cut).toLowerCase()];
  const { entries } = await client.folder(session, folder.replace(/\/$/, ''));
  const fits = entries.filter(({ name }) => name.toLowerCase().includes(begun) && (begun.startsWith('.') || !name.startsWith('.')) && !/\s/.test(name));
  // What begins as it was written comes first; else the daemon's order stays.
  const first = fits.filter(({ name }) => name.toLowerCase().startsWith(begun));
  return [...first, ...fits.filter((entry) => !first.includes(entry))].slice(0, MOST).map(({ name, kind }) => {
    const goesOn = kind === 'folder';
    const path = `${folder}${name}${goesOn ? '/' : ''}`;
    return { text: `@${path}`, label: path, note: undefined, goesOn };
  });
}

async function projectCommands(client: Pick<Client, 'folder'>, session: string): Promise<{ name: string; note: string }[]> {
  try {
    const { entries } = await client.folder(session, '.claude/commands');
    return entries.flatMap(({ name, kind }) => (kind === 'file' && name.endsWith('.md') ? [{ name: name.slice(0, -3), note: 'the repository’s own' }] : []));
  } catch {
    // Most repositories have none.
    return [];
  }
}
