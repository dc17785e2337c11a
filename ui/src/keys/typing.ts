/** Who has the focus: nobody that wants keys, a text field, or a terminal, which wants nearly all. */
export type Typing = 'no' | 'text' | 'terminal';

export function typingIn(target: EventTarget | null): Typing {
  if (!(target instanceof HTMLElement)) return 'no';
  if (target.closest('.xterm, [data-keeps-keys]')) return 'terminal';
  if (target instanceof HTMLInputElement) return ['checkbox', 'radio', 'button', 'range'].includes(target.type) ? 'no' : 'text';
  const field = target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement || target.isContentEditable;
  return field ? 'text' : 'no';
}
