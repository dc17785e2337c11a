const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** How long ago, as short as it can be read: "now", "5m", "3h", "2d", then the date. */
export function ago(then: number, now: number): string {
  const passed = Math.max(0, now - then);
  if (passed < MINUTE) return 'now';
  if (passed < HOUR) return `${Math.floor(passed / MINUTE)}m`;
  if (passed < DAY) return `${Math.floor(passed / HOUR)}h`;
  if (passed < 7 * DAY) return `${Math.floor(passed / DAY)}d`;
  const date = new Date(then);
  const year = date.getFullYear() === new Date(now).getFullYear() ? undefined : 'numeric';
  return date.toLocaleDateString(undefined, { day: 'numeric', month: 'short', year });
}

/** The same for a screen reader: "5 minutes ago". */
export function agoSpoken(then: number, now: number): string {
  const passed = Math.max(0, now - then);
  const [count, unit] = passed < HOUR ? [passed / MINUTE, 'minute'] : passed < DAY ? [passed / HOUR, 'hour'] : [passed / DAY, 'day'];
  const whole = Math.floor(count);
  if (unit === 'minute' && whole === 0) return 'just now';
  return `${whole} ${unit}${whole === 1 ? '' : 's'} ago`;
}

/** Bytes for a person: "512 B", "3.4 MB", "12 GB". */
export function bytes(count: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let value = count;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}
