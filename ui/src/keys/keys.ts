// Shortcuts as text: "Mod+K", "Shift+N", "F", "`". Mod is ⌘ on a Mac and Ctrl elsewhere.

export type Platform = 'mac' | 'other';

export interface Stroke {
  key: string;
  ctrlKey: boolean;
  metaKey: boolean;
  altKey: boolean;
  shiftKey: boolean;
}

const MODIFIERS = ['Control', 'Shift', 'Alt', 'Meta', 'AltGraph', 'CapsLock'];

/** The text of what was pressed; none for a modifier alone. */
export function strokeText(stroke: Stroke, platform: Platform): string | null {
  if (MODIFIERS.includes(stroke.key) || stroke.key === 'Dead' || stroke.key === 'Unidentified') return null;
  const parts: string[] = [];
  if (platform === 'mac' ? stroke.metaKey : stroke.ctrlKey) parts.push('Mod');
  if (platform === 'mac' && stroke.ctrlKey) parts.push('Ctrl');
  if (platform !== 'mac' && stroke.metaKey) parts.push('Super');
  if (stroke.altKey) parts.push('Alt');
  const letter = stroke.key.length === 1;
  // A character that Shift itself made, such as "?", is its own key.
  if (stroke.shiftKey && (!letter || /[a-z]/i.test(stroke.key))) parts.push('Shift');
  parts.push(stroke.key === ' ' ? 'Space' : letter ? stroke.key.toUpperCase() : stroke.key);
  return parts.join('+');
}

const SIGNS: Record<Platform, Record<string, string>> = {
  mac: { Mod: '⌘', Ctrl: '⌃', Alt: '⌥', Shift: '⇧', Enter: '↩', Backspace: '⌫', Delete: '⌦' },
  other: { Mod: 'Ctrl', Delete: 'Del' },
};
const ARROWS: Record<string, string> = { ArrowUp: '↑', ArrowDown: '↓', ArrowLeft: '←', ArrowRight: '→', Escape: 'Esc' };

/** The keys one by one, as they are written on the keyboard. */
export function keyNames(text: string, platform: Platform): string[] {
  if (!text) return [];
  const parts = text.endsWith('+') ? [...text.slice(0, -2).split('+').filter(Boolean), '+'] : text.split('+');
  return parts.map((part) => SIGNS[platform][part] ?? ARROWS[part] ?? part);
}

/** Whether a shortcut would type a character, so that a text field keeps it. */
export function types(text: string): boolean {
  return !/(^|\+)(Mod|Ctrl|Alt|Super)\+/.test(text) && !/^(Shift\+)?F\d+$/.test(text) && text !== 'Escape';
}
