// The audit's records of one session as a person reads them: one row a host and what became of it, the newest first.

import type { AuditRow, PolicyView } from '../api/types.ts';

export interface EgressRow {
  key: string;
  host: string;
  port: number;
  allowed: boolean;
  /** The last request: method and path, or undefined for a tunnel or a host alone. */
  request: string | undefined;
  /** The credential that was set; its name. */
  credential: string | undefined;
  /** Why, in the audit's words. */
  why: string;
  count: number;
  bytes: number;
  at: string;
  seq: number;
}

export interface Egress {
  rows: readonly EgressRow[];
  /** The host that each open request goes to, so that its bytes are counted there. */
  open: ReadonlyMap<string, string>;
  seq: number;
}

export const QUIET: Egress = { rows: [], open: new Map(), seq: -1 };
const MOST = 200;

/** Takes one record. Records that were seen before, as after a reconnect, change nothing. */
export function withRecord(egress: Egress, row: AuditRow): Egress {
  if (row.seq <= egress.seq) return egress;
  const seq = row.seq;
  switch (row.kind) {
    case 'decision':
    case 'refusal':
      return { ...withRequest(egress, row), seq };
    case 'close':
      return { ...withBytes(egress, row), seq };
    default:
      return { ...egress, seq };
  }
}

function withRequest(egress: Egress, row: AuditRow): Egress {
  const allowed = row.kind === 'decision' && row.decision !== 'refuse';
  const key = `${allowed ? '+' : '-'}${row.host}:${row.port}${allowed ? '' : ` ${row.note}`}`;
  const before = egress.rows.find((one) => one.key === key);
  const now: EgressRow = {
    key,
    host: row.host,
    port: row.port,
    allowed,
    request: row.method === '' ? undefined : `${row.method} ${row.path}`,
    credential: row.auth_injected ?? before?.credential,
    why: allowed ? row.rule : row.note,
    count: (before?.count ?? 0) + 1,
    bytes: before?.bytes ?? 0,
    at: row.at,
    seq: row.seq,
  };
  const rows = [now, ...egress.rows.filter((one) => one.key !== key)].slice(0, MOST);
  return { ...egress, rows, open: allowed ? new Map([...egress.open, [row.id, key]]) : egress.open };
}

function withBytes(egress: Egress, row: AuditRow): Egress {
  const key = egress.open.get(row.id);
  if (key === undefined) return egress;
  const open = new Map(egress.open);
  open.delete(row.id);
  const rows = egress.rows.map((one) => (one.key === key ? { ...one, bytes: one.bytes + row.bytes_up + row.bytes_down } : one));
  return { ...egress, rows, open };
}

/** What can be done about a refused row. The daemon knows where a grant would help; nowhere else is one offered. */
export function grantable(row: EgressRow, policy: PolicyView): 'grant' | 'granted' | 'no' {
  if (row.allowed) return 'no';
  const here = (one: { host: string; port: number }): boolean => one.host === row.host && one.port === row.port;
  if (policy.grants.some(here)) return 'granted';
  return policy.refused.some((one) => here(one) && one.code === row.why && one.hint !== null) ? 'grant' : 'no';
}

/** The host as a grant spells it. */
export function grantName({ host, port }: { host: string; port: number }): string {
  return port === 443 ? host : `${host}:${port}`;
}

/** A refusal's code in a person's words. */
export function reason(code: string): string {
  return REASONS[code] ?? code.replaceAll('_', ' ');
}

const REASONS: Record<string, string | undefined> = {
  not_allowed: 'No rule names this host, or this way of using it.',
  forbidden: 'A rule refuses exactly this.',
  malformed_request: 'The request can be read in more than one way.',
  too_long: 'The path or query is longer than its rule allows.',
  model_body_refused: 'It asks the model’s provider to reach out, or names an unknown tool.',
  body_too_large: 'The body is larger than its rule allows.',
  credential_missing: 'There is no credential for it. Add the account in Settings.',
  placeholder_misplaced: 'A placeholder was sent where it does not belong.',
  host_mismatch: 'The request was for another host than its tunnel.',
  address_refused: 'The name leads to no public address.',
  upstream_unreachable: 'The host could not be reached or verified.',
  audit_unavailable: 'It could not be written down first.',
};
