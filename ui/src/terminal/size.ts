import { DEFAULTS, LARGEST, SMALLEST } from './terminals.ts';

/** The next font size. */
export function stepped(size: number, step: 'larger' | 'smaller' | 'actual-size'): number {
  if (step === 'actual-size') return DEFAULTS.fontSize;
  return Math.min(LARGEST, Math.max(SMALLEST, size + (step === 'larger' ? 1 : -1)));
}
