import { describe, expect, it } from 'vitest';
import type { AuditRow, PolicyView } from '../api/types.ts';
import { type Egress, grantable, grantName, QUIET, reason, withRecord } from './egress.ts';

const record = (seq: number, part: Partial<AuditRow>): AuditRow => ({
  seq,
  at: '2026-01-01T00:00:00Z',
  kind: 'decision',
  id: `r${seq}`,
  session: 's',
  host: 'api.example.com',
  port: 443,
  method: 'GET',
  path: '/x',
  auth_injected: null,
  decision: 'forward',
  rule: 'web',
  note: '',
  status: null,
  bytes_up: 0,
  bytes_down: 0,
  duration_ms: 0,
  ...part,
});
const refusal = (seq: number, part: Partial<AuditRow> = {}) =>
  record(seq, { kind: 'refusal', decision: 'refuse', note: 'not_allowed', host: 'evil.example', ...part });
const all = (...rows: AuditRow[]): Egress => rows.reduce(withRecord, QUIET);

describe('the egress list', () => {
  it('has one row a host and outcome, the newest first, with what went through it', () => {
    const { rows } = all(
      record(1, { id: 'a' }),
      refusal(2),
      record(3, { id: 'b', auth_injected: 'github_token' }),
      record(4, { kind: 'close', id: 'a', bytes_up: 10, bytes_down: 20 }),
    );
    expect(rows.map(({ host, allowed, count, bytes, credential }) => [host, allowed, count, bytes, credential])).toEqual([
      ['api.example.com', true, 2, 30, 'github_token'],
      ['evil.example', false, 1, 0, undefined],
    ]);
  });

  it('is not changed by records that were seen before', () => {
    const once = all(record(1, {}), refusal(2));
    expect([record(1, {}), refusal(2)].reduce(withRecord, once)).toBe(once);
  });

  it('skips tunnels and recoveries, which are no requests', () => {
    expect(all(record(1, { kind: 'tunnel' }), record(2, { kind: 'recovered' })).rows).toEqual([]);
  });
});

describe('a grant', () => {
  const row = () => {
    const found = all(refusal(1)).rows[0];
    if (found === undefined) throw new Error('no row');
    return found;
  };
  const refused = { at_ms: 0, count: 1, code: 'not_allowed', host: 'evil.example', port: 443, method: null, path: null, rule: null };
  const policy = (part: Partial<PolicyView>): PolicyView => ({ posture: 'balanced', grants: [], refused: [], ...part });

  it('is offered only where the daemon says that it helps', () => {
    expect(grantable(row(), policy({ refused: [{ ...refused, hint: 'clauderon policy allow' }] }))).toBe('grant');
    expect(grantable(row(), policy({ refused: [{ ...refused, hint: null }] }))).toBe('no');
    expect(grantable(row(), policy({}))).toBe('no');
  });

  it('is not offered twice', () => {
    expect(grantable(row(), policy({ grants: [{ host: 'evil.example', port: 443, always: false }] }))).toBe('granted');
  });

  it('names a port that is not the usual one', () => {
    expect([grantName({ host: 'a', port: 443 }), grantName({ host: 'a', port: 8443 })]).toEqual(['a', 'a:8443']);
  });

  it('has a reason in words, even for a code that is new', () => {
    expect(reason('not_allowed')).toContain('No rule');
    expect(reason('something_new')).toBe('something new');
  });
});
