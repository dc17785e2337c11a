// Which keys a focused terminal gives away. It keeps all others: they belong to the agent.

export type TerminalKey = 'copy' | 'paste' | 'find' | 'larger' | 'smaller' | 'actual-size' | 'leave';

export interface KeyPress {
  key: string;
  ctrlKey: boolean;
  shiftKey: boolean;
  altKey: boolean;
  metaKey: boolean;
}

/**
 * Says what the window does with a key that was pressed in the terminal; undefined where the agent gets it.
 * `selected` tells whether text is selected: on Linux Ctrl-Shift-C copies, on macOS ⌘C.
 */
export function terminalKey(press: KeyPress, mac: boolean): TerminalKey | undefined {
  if (press.altKey) return undefined;
  const command = mac ? press.metaKey && !press.ctrlKey : press.ctrlKey && !press.metaKey;
  if (!command) return undefined;
  const key = press.key.toLowerCase();
  // Ctrl-F and Ctrl-V mean something to shells and editors, so Linux needs Shift with letters.
  if (mac || press.shiftKey) {
    if (key === 'c') return 'copy';
    if (key === 'v') return 'paste';
    if (key === 'f') return 'find';
  }
  if (key === '=' || key === '+') return 'larger';
  if (key === '-' || key === '_') return press.shiftKey && !mac ? undefined : 'smaller';
  if (key === '0') return 'actual-size';
  if (key === 'escape' && press.shiftKey) return 'leave';
  return undefined;
}
