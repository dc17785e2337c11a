// Two pipes on one screen: standard error is tinted, and no character is cut where the streams take turns.

const TINT = new TextEncoder().encode('\x1b[33m');
const PLAIN = new TextEncoder().encode('\x1b[39m');

/** How many bytes at the end of `bytes` begin a UTF-8 character that is not whole. */
export function unfinished(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(3, bytes.byteLength); back += 1) {
    const byte = bytes[bytes.byteLength - back] ?? 0;
    if ((byte & 0b1100_0000) === 0b1000_0000) continue;
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return length > back ? back : 0;
  }
  return 0;
}

function join(...parts: Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.byteLength;
  }
  return all;
}

/** Makes one stream of two. */
export class Pipes {
  #rest: Record<'stdout' | 'stderr', Uint8Array> = { stdout: new Uint8Array(), stderr: new Uint8Array() };

  merge(stream: 'stdout' | 'stderr', bytes: Uint8Array): Uint8Array {
    const all = join(this.#rest[stream], bytes);
    const cut = all.byteLength - unfinished(all);
    this.#rest[stream] = all.slice(cut);
    const whole = all.subarray(0, cut);
    return stream === 'stderr' ? join(TINT, whole, PLAIN) : whole;
  }
}
