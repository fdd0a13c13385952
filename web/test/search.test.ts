import { expect, test } from 'vitest';
import type { Mailbox } from '../src/jmap/mailbox';
import { chips, day, filterOf } from '../src/mail/search';

const boxes = [{ id: 'F1', name: 'Archive', role: 'archive' }] as Mailbox[];
const filter = (typed: string) => filterOf(chips(typed), boxes, (box) => (box.role === 'archive' ? '归档' : box.name), new Date(2026, 0, 31));

test('words are looked for as they are, phrases as one', () => {
  expect(filter('')).toBeNull();
  expect(filter('annual')).toEqual({ text: 'annual' });
  expect(filter('"annual plan"')).toEqual({ text: '"annual plan"' });
  expect(filter('年度 计划')).toEqual({ operator: 'AND', conditions: [{ text: '年度' }, { text: '计划' }] });
});

test('operators are read in both languages, with either colon and quotes', () => {
  expect(filter('from:chen')).toEqual({ from: 'chen' });
  expect(filter('发件人：陈雁')).toEqual({ from: '陈雁' });
  expect(filter('subject:"annual plan"')).toEqual({ subject: 'annual plan' });
  expect(filter('主题：“年度计划”')).toEqual({ subject: '年度计划' });
  expect(filter('包含:附件')).toEqual({ hasAttachment: true });
  expect(filter('is:unread')).toEqual({ notKeyword: '$seen' });
  expect(filter('文件夹:归档')).toEqual({ inMailbox: 'F1' });
  expect(filter('larger:1.5MB')).toEqual({ minSize: 1_572_864 });
  expect(filter('-from:bob')).toEqual({ operator: 'NOT', conditions: [{ from: 'bob' }] });
});

test('what only looks like an operator is a word', () => {
  expect(filter('http://example.org')).toEqual({ text: 'http://example.org' });
  expect(filter('note:this')).toEqual({ text: 'note:this' });
});

test('days are read as people write them', () => {
  const now = new Date(2026, 0, 31, 15);
  expect(day('2026-01-02', now)).toEqual(new Date(2026, 0, 2));
  expect(day('2026年1月2日', now)).toEqual(new Date(2026, 0, 2));
  expect(day('7d', now)).toEqual(new Date(2026, 0, 24));
  expect(day('yesterday', now)).toEqual(new Date(2026, 0, 30));
  for (const nothing of ['soon', '9999y', '2026-13-01', '2026-01-32']) expect(day(nothing, now), nothing).toBeNull();
});
