// What is said about an account. Values in, values out.

import type { Account } from '../api/types.ts';
import type { Badge } from '../state/standing.ts';

const DAY = 86_400_000;
const WARN_DAYS = 30;

export function accountBadge(account: Account, now: number): Badge {
  if (account.source === null) return { word: 'Not set', icon: 'idle', tone: 'grey' };
  if (account.checked && !account.checked.ok) return { word: 'Refused', icon: 'error', tone: 'red' };
  if (account.expires_ms !== null && account.expires_ms <= now) return { word: 'Expired', icon: 'error', tone: 'red' };
  if (account.problem || account.checked?.wide || expiry(account, now)) return { word: 'Look', icon: 'warning', tone: 'yellow' };
  if (account.checked?.ok) return { word: 'Works', icon: 'done', tone: 'green' };
  return { word: 'Set', icon: 'check', tone: 'accent' };
}

/** A sentence on the end of a credential, from thirty days before it. */
export function expiry(account: Pick<Account, 'expires_ms'>, now: number): string | null {
  if (account.expires_ms === null) return null;
  const days = Math.ceil((account.expires_ms - now) / DAY);
  if (days > WARN_DAYS) return null;
  if (days <= 0) return 'It has expired: replace it.';
  return days === 1 ? 'It expires within a day.' : `It expires in ${days} days.`;
}
