import { describe, expect, test, vi } from 'vitest';
import { keyNames, strokeText, type Stroke } from './keys.ts';
import { Registry, type Action } from './registry.svelte.ts';

const stroke = (key: string, held: Partial<Stroke> = {}): Stroke => ({ key, ctrlKey: false, metaKey: false, altKey: false, shiftKey: false, ...held });

test('a stroke is written the same on every system', () => {
  const check = (pressed: Stroke, other: string | null, mac: string | null) => expect([strokeText(pressed, 'other'), strokeText(pressed, 'mac')]).toEqual([other, mac]);
  check(stroke('k', { ctrlKey: true }), 'Mod+K', 'Ctrl+K');
  check(stroke('k', { metaKey: true }), 'Super+K', 'Mod+K');
  check(stroke('N', { shiftKey: true }), 'Shift+N', 'Shift+N');
  check(stroke('?', { shiftKey: true }), '?', '?');
  check(stroke('Delete'), 'Delete', 'Delete');
  check(stroke(' '), 'Space', 'Space');
  check(stroke('Shift', { shiftKey: true }), null, null);
  check(stroke('Dead'), null, null);
});

test('keys are shown as they stand on the keyboard', () => {
  expect(keyNames('Mod+Shift+P', 'mac')).toEqual(['⌘', '⇧', 'P']);
  expect(keyNames('Mod+Shift+P', 'other')).toEqual(['Ctrl', 'Shift', 'P']);
  expect(keyNames('Mod++', 'other')).toEqual(['Ctrl', '+']);
  expect(keyNames('', 'other')).toEqual([]);
});

describe('the list of actions', () => {
  const action = (id: string, keys: string, more: Partial<Action> = {}): Action => ({ id, title: id, group: 'General', keys, run: vi.fn(), ...more });
  const make = (actions: Action[], remapped: Record<string, string> = {}) => {
    const registry = new Registry('other', () => remapped);
    registry.add(actions);
    return registry;
  };

  test('runs what the keys mean, where it can be done', () => {
    const [never, now] = [action('never', 'N', { when: () => false }), action('now', 'N')];
    expect(make([never, now]).press(stroke('n'), 'no')).toBe(true);
    expect(now.run).toHaveBeenCalledOnce();
    expect(never.run).not.toHaveBeenCalled();
  });

  test('leaves letters to a text field, and nearly everything to a terminal', () => {
    const registry = make([action('letter', 'N'), action('palette', 'Mod+K'), action('anywhere', 'Mod+Shift+P')]);
    const pressed = (one: Stroke) => (['no', 'text', 'terminal'] as const).map((typing) => registry.press(one, typing));
    expect(pressed(stroke('n'))).toEqual([true, false, false]);
    expect(pressed(stroke('k', { ctrlKey: true }))).toEqual([true, true, false]);
    expect(pressed(stroke('P', { ctrlKey: true, shiftKey: true }))).toEqual([true, true, true]);
  });

  test('takes the person’s keys for the default ones, and none where they took them away', () => {
    const registry = make([action('a', 'A'), action('b', 'B')], { a: 'X', b: '' });
    expect([registry.press(stroke('a'), 'no'), registry.press(stroke('x'), 'no'), registry.press(stroke('b'), 'no')]).toEqual([false, true, false]);
  });

  test('names conflicts', () => {
    expect(make([action('a', 'A'), action('b', 'B'), action('c', '')], { b: 'A' }).conflicts).toEqual([{ keys: 'A', ids: ['a', 'b'] }]);
    expect(make([action('a', 'A'), action('b', 'B'), action('c', ''), action('d', '')]).conflicts).toEqual([]);
  });

  test('forgets the actions of a part that has gone, but not its successor’s', () => {
    const registry = make([]);
    const remove = registry.add([action('a', 'A')]);
    registry.add([action('a', 'B')]);
    remove();
    expect(registry.keysFor('a')).toBe('B');
  });
});
