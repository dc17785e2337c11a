import type { Appearance } from '../state/desk.ts';

/** The theme in force. The system's wish for more contrast counts where the person leaves the choice to it. */
export function themeOf(appearance: Appearance, system: { light: boolean; contrast: boolean }): 'light' | 'dark' | 'contrast' {
  if (appearance !== 'system') return appearance;
  if (system.contrast) return 'contrast';
  return system.light ? 'light' : 'dark';
}
