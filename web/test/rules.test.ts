import { expect, test } from 'vitest';
import type { Condition } from '../src/jmap/rules';
import { meets, unfolded } from '../src/settings/preview';
import type { Sample } from '../src/settings/preview';
import { told } from '../src/settings/tell';
import { en } from '../src/words/en';
import { zh } from '../src/words/zh';

const sample: Sample = { id: 'M1', from: [{ name: 'Bob', email: 'Bob@News.example' }], to: [{ name: null, email: 'ann@anser.test' }], cc: null, subject: 'Weekly NEWS 周报', size: 2_000, hasAttachment: true, text: 'pears', headers: { 'list-id': ['<orchard.example>'] } };
const text = (field: 'from' | 'subject' | 'recipient' | 'body' | { header: string }, how: 'is' | 'contains' | 'begins' | 'ends' | 'matches' | 'regex' | 'domain', value: string, not = false): Condition => ({ text: { field, how, values: [value], not } });
const holds = (...conditions: Condition[]) => meets({ conditions, quantifier: 'all' }, sample);

test('conditions are compared as the server compares them', () => {
  for (const good of [
    text('from', 'is', 'bob@news.example'), text('from', 'domain', 'NEWS.example'), text('subject', 'contains', '周报'), text('subject', 'begins', 'weekly'), text('subject', 'ends', '报'),
    text('subject', 'matches', '*news?周*'), text('body', 'regex', 'P.a'), text('subject', 'regex', '^weekly\\Snews|^\\S+ NEWS'), text({ header: 'List-Id' }, 'contains', 'orchard'), text('recipient', 'is', 'nobody@x', true),
    { larger: 1_999 }, { smaller: 2_001 }, { attachment: { not: false } }, { exists: { header: 'LIST-ID', not: false } },
  ] as Condition[]) expect(holds(good), JSON.stringify(good)).toBe(true);
  for (const bad of [text('from', 'contains', 'Bob Miller'), text('subject', 'matches', 'news'), text('body', 'regex', '('), { larger: 2_000 }, { exists: { header: 'X', not: false } }] as Condition[])
    expect(holds(bad), JSON.stringify(bad)).toBe(false);
  expect(meets({ conditions: [{ larger: 1 }, { smaller: 1 }], quantifier: 'any' }, sample)).toBe(true);
  expect(meets({ conditions: [], quantifier: 'any' }, sample)).toBe(true);
});

test('a rule is told in a sentence', () => {
  const rule = { name: 'x', enabled: true, quantifier: 'any' as const, stop: true, conditions: [text('subject', 'contains', '发票'), { larger: 1_048_576 }], deeds: ['read' as const, { file: { mailbox: '账单', copy: false } }] };
  expect(told(rule, en, [])).toBe('Subject contains “发票” or Larger than 1.0 MB → Mark as read, Move to folder 账单');
  expect(told(rule, zh, [])).toMatch(/^主题 包含 “发票” 或 大于 /);
});

test('a tag is told by its name', () => {
  const rule = { name: 'x', enabled: true, quantifier: 'all' as const, stop: true, conditions: [text('subject', 'contains', '发票', true)], deeds: [{ keyword: 'tag-1' }] };
  expect(told(rule, zh, [{ keyword: 'tag-1', name: '项目', colour: '#b3402a' }])).toBe('主题 不满足：包含 “发票” → 添加标签 项目');
});

test('a field is compared as it reads: unfolded, its encoded words as what they say', () => {
  expect(unfolded(' =?UTF-8?B?5Y+R?=\r\n =?utf-8?q?=E7=A5=A8_7?= <a@b.example>')).toBe('发票 7 <a@b.example>');
  expect(unfolded('=?nothing?B?####?=')).toBe('=?nothing?B?####?=');
});
