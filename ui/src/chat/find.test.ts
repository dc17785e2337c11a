import { expect, test } from 'vitest';
import { prompt, text, tool } from '../testing/items.ts';
import { found } from './find.ts';
import { rowsOf } from './rows.ts';

test('rows are found by what they say, whatever the case, folded ones too', () => {
  const items = [prompt({ id: 'a', order: 1 }, 'Fix the Login'), ...[2, 3, 4, 5].map((order) => tool({ id: `login-${order}`, order })), text({ id: 'z', order: 9 }, 'Done.')];
  const rows = rowsOf(items, new Map());
  expect(found(rows, 'login')).toEqual([rows[0]?.key, rows[1]?.key]);
  expect(found(rows, 'DONE')).toEqual([rows.at(-1)?.key]);
  expect(found(rows, ' ')).toEqual([]);
  expect(found(rows, 'nowhere')).toEqual([]);
});
