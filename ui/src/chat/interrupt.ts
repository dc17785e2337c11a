// Esc, as the person would press it in the terminal.

import type { Client } from '../api/client.ts';
import { readText } from '../terminal/frames.ts';

const ESCAPE = new Uint8Array([0x1b]);

/** Presses Esc in a session's terminal; fails where there is no terminal to press it in. */
export function interrupt(client: Pick<Client, 'console'>, session: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = client.console(session);
    socket.onmessage = (message) => {
      const text = typeof message === 'string' ? readText(message) : undefined;
      if (text?.type === 'hello') {
        socket.send(ESCAPE);
        socket.close();
        resolve();
      } else if (text?.type === 'error') {
        socket.close();
        reject(new Error(text.message));
      }
    };
    socket.onclose = (why) => reject(new Error(why));
  });
}
