// Reads what `git diff` prints. Nothing here decides how it looks.

export type LineKind = 'same' | 'added' | 'removed';

export interface Line {
  kind: LineKind;
  text: string;
  /** Number at the base; undefined for an added line. */
  before: number | undefined;
  /** Number now; undefined for a removed line. */
  now: number | undefined;
  /** Whether the file ends here without a line end. */
  unended: boolean;
}

export interface Hunk {
  /** What git shows of the place, such as the function; often empty. */
  place: string;
  before: number;
  now: number;
  lines: Line[];
}

export interface FilePatch {
  /** Its path now, or at the base where it is gone. */
  path: string;
  /** Its path at the base where that was another. */
  from: string | undefined;
  change: 'added' | 'modified' | 'deleted' | 'renamed';
  binary: boolean;
  /** Such as `100644 → 100755`. */
  mode: string | undefined;
  hunks: Hunk[];
}

/** Reads a patch. A file that was cut off at its end keeps the lines that are there. */
export function readPatch(patch: string): FilePatch[] {
  const files: FilePatch[] = [];
  let file: FilePatch | undefined;
  let reader: HunkReader | undefined;
  let oldMode: string | undefined;
  for (const line of patch.split('\n')) {
    if (reader?.wants(line) === true) {
      reader.take(line);
      continue;
    }
    if (line.startsWith('diff --git ')) {
      file = { path: pathOfHeader(line), from: undefined, change: 'modified', binary: false, mode: undefined, hunks: [] };
      files.push(file);
      reader = undefined;
      oldMode = undefined;
    } else if (file === undefined) {
      continue;
    } else if (line.startsWith('@@ ')) {
      reader = HunkReader.begin(line);
      if (reader !== undefined) file.hunks.push(reader.hunk);
    } else if (line.startsWith('\\')) {
      reader?.unended();
    } else if (line.startsWith('old mode ')) {
      oldMode = line.slice(9);
    } else if (line.startsWith('new mode ')) {
      file.mode = `${oldMode ?? ''} → ${line.slice(9)}`;
    } else if (line.startsWith('new file mode')) {
      file.change = 'added';
    } else if (line.startsWith('deleted file mode')) {
      file.change = 'deleted';
    } else if (line.startsWith('rename from ')) {
      file.change = 'renamed';
      file.from = unquote(line.slice(12));
    } else if (line.startsWith('rename to ')) {
      file.path = unquote(line.slice(10));
    } else if (line.startsWith('--- ')) {
      takeSide(file, line.slice(4), 'before');
    } else if (line.startsWith('+++ ')) {
      takeSide(file, line.slice(4), 'now');
    } else if (line.startsWith('Binary files ') || line === 'GIT binary patch') {
      file.binary = true;
    }
  }
  return files;
}

class HunkReader {
  readonly hunk: Hunk;
  #before: number;
  #now: number;
  #left: { before: number; now: number };

  private constructor(hunk: Hunk, left: { before: number; now: number }) {
    this.hunk = hunk;
    this.#before = hunk.before;
    this.#now = hunk.now;
    this.#left = left;
  }

  static begin(line: string): HunkReader | undefined {
    const found = /^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@ ?(.*)$/.exec(line);
    if (found === null) return undefined;
    const [, before, beforeCount, now, nowCount, place] = found;
    return new HunkReader(
      { place: place ?? '', before: Number(before), now: Number(now), lines: [] },
      { before: Number(beforeCount ?? 1), now: Number(nowCount ?? 1) },
    );
  }

  /** By the counts in its header, not by looks: a removed line `-- x` reads `--- x`. */
  wants(line: string): boolean {
    const { before, now } = this.#left;
    switch (line[0]) {
      case '-':
        return before > 0;
      case '+':
        return now > 0;
      case ' ':
        return before > 0 && now > 0;
      default:
        return false;
    }
  }

  take(line: string): void {
    const text = line.slice(1);
    const one = { text: text.endsWith('\r') ? text.slice(0, -1) : text, unended: false };
    switch (line[0]) {
      case '-':
        this.hunk.lines.push({ ...one, kind: 'removed', before: this.#before++, now: undefined });
        this.#left.before -= 1;
        return;
      case '+':
        this.hunk.lines.push({ ...one, kind: 'added', before: undefined, now: this.#now++ });
        this.#left.now -= 1;
        return;
      default:
        this.hunk.lines.push({ ...one, kind: 'same', before: this.#before++, now: this.#now++ });
        this.#left.before -= 1;
        this.#left.now -= 1;
    }
  }

  unended(): void {
    const last = this.hunk.lines.at(-1);
    if (last !== undefined) last.unended = true;
  }
}

function takeSide(file: FilePatch, side: string, which: 'before' | 'now'): void {
  const path = unquote(side.replace(/\t.*$/, ''));
  if (path === '/dev/null') return;
  const bare = path.replace(/^[ab]\//, '');
  if (which === 'now' || file.change === 'deleted') file.path = bare;
}

/** `diff --git a/x b/x`: the only name of a file without hunks. Both halves are the same unless it was renamed. */
function pathOfHeader(line: string): string {
  const names = line.slice('diff --git '.length);
  if (names.startsWith('"')) return unquote(names.slice(0, names.indexOf('" ') + 1)).replace(/^a\//, '');
  const half = (names.length - 1) / 2;
  return names.slice(2, Math.floor(half));
}

/** Git quotes a path with unusual bytes as a C string, each byte of UTF-8 for itself. */
export function unquote(path: string): string {
  if (!path.startsWith('"') || !path.endsWith('"')) return path;
  const bytes: number[] = [];
  const inner = path.slice(1, -1);
  const named: Record<string, number> = { n: 10, t: 9, r: 13, a: 7, b: 8, f: 12, v: 11, '"': 34, '\\': 92 };
  for (let at = 0; at < inner.length; at += 1) {
    if (inner[at] !== '\\') {
      bytes.push(...new TextEncoder().encode(String.fromCodePoint(inner.codePointAt(at) ?? 0)));
      if ((inner.codePointAt(at) ?? 0) > 0xffff) at += 1;
      continue;
    }
    const octal = /^[0-7]{3}/.exec(inner.slice(at + 1))?.[0];
    if (octal !== undefined) {
      bytes.push(Number.parseInt(octal, 8));
      at += 3;
    } else {
      bytes.push(named[inner[at + 1] ?? ''] ?? 63);
      at += 1;
    }
  }
  return new TextDecoder().decode(Uint8Array.from(bytes));
}
