import { describe, expect, it } from 'vitest';
import { pack, unpack, unpackAnswer } from './frames.ts';

describe('messages of the window', () => {
  it('come apart as they were packed', () => {
    const packed = pack(['{"a":"ü"}', new Uint8Array([27, 91, 65]), new Uint8Array()]);
    expect([...unpack(packed.buffer)]).toEqual([
      { kind: 'text', text: '{"a":"ü"}' },
      { kind: 'binary', bytes: new Uint8Array([27, 91, 65]) },
      { kind: 'binary', bytes: new Uint8Array() },
    ]);
  });

  it('say a status and an end', () => {
    const bytes = new Uint8Array([2, 0, 0, 0, 2, 0x94, 0x01, 0, 0, 0, 0, 3]);
    expect([...unpack(bytes.buffer)]).toEqual([
      { kind: 'status', status: 404 },
      { kind: 'close', why: '' },
    ]);
  });

  it('are refused when torn', () => {
    expect(() => [...unpack(new Uint8Array([9, 0, 0, 0, 1, 65]).buffer)]).toThrow();
    expect(() => [...unpack(new Uint8Array([0, 0, 0, 0, 9]).buffer)]).toThrow();
  });

  it('carry a whole answer', () => {
    const bytes = new Uint8Array([200, 0, 3, 97, 47, 98, 104, 105]);
    expect(unpackAnswer(bytes.buffer)).toEqual({ status: 200, mediaType: 'a/b', body: new Uint8Array([104, 105]) });
  });
});
