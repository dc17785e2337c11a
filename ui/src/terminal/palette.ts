// The terminal's colours come from the same tokens as the window's.

import type { ITheme } from '@xterm/xterm';

const NAMES = {
  background: '--term-background',
  foreground: '--term-foreground',
  cursor: '--term-cursor',
  cursorAccent: '--term-background',
  selectionBackground: '--term-selection',
  black: '--term-black',
  red: '--term-red',
  green: '--term-green',
  yellow: '--term-yellow',
  blue: '--term-blue',
  magenta: '--term-magenta',
  cyan: '--term-cyan',
  white: '--term-white',
  brightBlack: '--term-bright-black',
  brightRed: '--term-bright-red',
  brightGreen: '--term-bright-green',
  brightYellow: '--term-bright-yellow',
  brightBlue: '--term-bright-blue',
  brightMagenta: '--term-bright-magenta',
  brightCyan: '--term-bright-cyan',
  brightWhite: '--term-bright-white',
} as const satisfies Partial<Record<keyof ITheme, string>>;

/** Reads the palette in force at `element`. */
export function palette(element: Element): ITheme {
  const style = getComputedStyle(element);
  const theme: ITheme = {};
  for (const [name, token] of Object.entries(NAMES) as [keyof typeof NAMES, string][]) {
    const value = style.getPropertyValue(token).trim();
    if (value !== '') theme[name] = value;
  }
  return theme;
}
