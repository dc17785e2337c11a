// Which of the dropped things go into a session, and why the others do not. Said before a byte is sent.

export const LIMIT = 100 * 1024 * 1024;
const AT_ONCE = 50;

export interface Candidate {
  name: string;
  bytes: number;
  folder: boolean;
}

export type Verdict<T> = { kind: 'send'; item: T } | { kind: 'refuse'; item: T; reason: string };

/** Judges what was dropped, in its order. */
export function judge<T extends Candidate>(items: readonly T[]): Verdict<T>[] {
  let accepted = 0;
  return items.map((item) => {
    const reason = accepted >= AT_ONCE ? `At most ${AT_ONCE} files go at once.` : refusal(item);
    if (reason !== undefined) return { kind: 'refuse', item, reason };
    accepted += 1;
    return { kind: 'send', item };
  });
}

function refusal({ name, bytes, folder }: Candidate): string | undefined {
  if (folder) return 'Folders are not copied. Drop its files, or a zip of it.';
  if (bytes > LIMIT) return `It has ${Math.ceil(bytes / 1024 / 1024)} MB; a file may have 100.`;
  if (name.trim() === '') return 'It has no name.';
  return undefined;
}

/** A pasted picture has no name worth keeping. */
export function pastedName(type: string, now: Date): string {
  const end = { 'image/png': 'png', 'image/jpeg': 'jpg', 'image/gif': 'gif', 'image/webp': 'webp' }[type] ?? 'bin';
  const two = (value: number): string => String(value).padStart(2, '0');
  return `pasted-${two(now.getHours())}${two(now.getMinutes())}${two(now.getSeconds())}.${end}`;
}

/** What is pasted into the prompt: the paths as the agent sees them, so that it reads each as a file. */
export function inserted(paths: readonly string[]): string {
  return paths.map((path) => `${path} `).join('');
}

/** Whether a session takes files now; otherwise why not, in one sentence. */
export function takesFiles(session: { state: string; mode: string; archived_ms: number | null }): string | undefined {
  if (session.archived_ms !== null) return 'An archived session takes no files.';
  switch (session.state) {
    case 'running':
      return session.mode === 'print' ? 'A session that prints takes no files.' : undefined;
    case 'creating':
    case 'starting':
      return 'It is still starting.';
    default:
      return 'It is not running. Start it first.';
  }
}
