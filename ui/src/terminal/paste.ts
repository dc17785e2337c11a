/**
 * Makes text safe to paste into a terminal: line ends become the one that Enter sends, and control characters go, so that
 * no clipboard can end a bracketed paste early and go on as if typed.
 */
export function pasteable(text: string): string {
  return text.replace(/\r\n?/g, '\n').replace(/[\x00-\x08\x0b-\x1f\x7f-\x9f]/g, '');
}
