import { expect, test } from 'vitest';
import type { Account } from '../api/types.ts';
import { accountBadge, expiry } from './account.ts';
import { plain } from './plain.ts';

const DAY = 86_400_000;
const account: Account = { name: 'x', label: 'X', purpose: '', source: 'keychain', shadowed: [], editable: true, sign_in: false, expires_ms: null, problem: null, checked: null };

test('an account’s state is said in a word', () => {
  const check = (change: Partial<Account>, word: string) => expect(accountBadge({ ...account, ...change }, 0).word).toBe(word);
  check({}, 'Set');
  check({ source: null }, 'Not set');
  check({ checked: { at_ms: 0, ok: true, sentence: '', wide: null } }, 'Works');
  check({ checked: { at_ms: 0, ok: true, sentence: '', wide: 'It reaches every repository.' } }, 'Look');
  check({ checked: { at_ms: 0, ok: false, sentence: '', wide: null } }, 'Refused');
  check({ expires_ms: -1 }, 'Expired');
  check({ expires_ms: 10 * DAY }, 'Look');
});

test('an end is warned of thirty days ahead', () => {
  const check = (days: number | null, expected: string | null) => expect(expiry({ expires_ms: days === null ? null : days * DAY }, 0)).toBe(expected);
  check(null, null);
  check(31, null);
  check(30, 'It expires in 30 days.');
  check(1, 'It expires within a day.');
  check(0, 'It has expired: replace it.');
});

test('a program’s output is shown as plain lines', () => {
  expect(plain('\x1b[1mHello\x1b[0m\r\n\x1b]0;title\x07wait\rdone\x1b(B\n\n\n\nend\x08')).toBe('Hello\ndone\n\nend');
});
