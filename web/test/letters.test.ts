import { expect, test } from 'vitest';
import type { Head } from '../src/jmap/email';
import { judge, results } from '../src/mail/authentication';
import { inverse, patched } from '../src/mail/patch';
import { address, initial, split, without } from '../src/mail/people';
import { initials, meant } from '../src/mail/pinyin';
import { dishonest, still, textAsHtml } from '../src/mail/sanitise';
import { mailto, meantDomain, prefixed, speaksOfAttachment } from '../src/write/start';

const head = { id: 'M1', keywords: { $seen: true }, mailboxIds: { F1: true }, from: [{ name: 'Bob', email: 'bob@example.org' }] } as unknown as Head;

test('a patch that is applied and turned around leaves nothing', () => {
  const patch = { 'keywords/$flagged': true, 'keywords/$seen': null, 'mailboxIds/F1': null, 'mailboxIds/F2': true };
  const moved = patched(head, patch);
  expect(moved.keywords).toEqual({ $flagged: true });
  expect(moved.mailboxIds).toEqual({ F2: true });
  expect(patched(moved, inverse(head, patch))).toEqual(head);
  expect(inverse(head, { 'keywords/$seen': true })).toEqual({});
});

test('addresses are read as they are typed and pasted', () => {
  expect(split('a@b.c; "Miller, Bob" <bob@b.c>，陈雁 <chen@b.c>\nd@e.f')).toEqual(['a@b.c', '"Miller, Bob" <bob@b.c>', '陈雁 <chen@b.c>', 'd@e.f']);
  expect(address('"Miller, Bob" <bob@b.c>')).toEqual({ name: 'Miller, Bob', email: 'bob@b.c' });
  expect(address('bob＠b.c')).toEqual({ name: null, email: 'bob@b.c' });
  expect(address('bob')).toBeNull();
  expect(initial({ name: '王建国', email: 'w@b.c' })).toBe('国');
  expect(without([{ name: null, email: 'A@b.c' }, { name: null, email: 'a@b.c' }, { name: null, email: 'x@b.c' }], ['x@b.c'])).toHaveLength(1);
});

test('a sender is judged by what our server found, the topmost field', () => {
  expect(results('mx; dkim=pass (2048) header.d=example.org; spf=fail smtp.mailfrom=x')).toEqual([
    { method: 'dkim', result: 'pass', of: 'example.org' },
    { method: 'spf', result: 'fail', of: 'x' },
  ]);
  const of = (field: string) => judge(head, { 'header:Authentication-Results:asText:all': [field], replyTo: null } as never, ['anser.test']).verdict;
  expect(of('mx; dmarc=pass header.from=example.org')).toBe('verified');
  expect(of('mx; dkim=pass header.d=example.org')).toBe('verified');
  expect(of('mx; dkim=pass header.d=evil.example')).toBe('partly');
  expect(of('mx; dmarc=fail header.from=example.org; spf=pass smtp.mailfrom=x')).toBe('failed');
  expect(of('mx; none')).toBe('unknown');
});

test('a name that claims another address is told', () => {
  const posing = { ...head, from: [{ name: 'boss@bank.example', email: 'x@evil.example' }] };
  expect(judge(posing, null, ['anser.test']).posing).toBe('boss@bank.example');
  expect(judge(head, null, ['anser.test']).posing).toBeNull();
});

test('a link that says one place and leads to another is told', () => {
  expect(dishonest('https://bank.example/login', 'https://evil.example/x')).toBe('evil.example');
  expect(dishonest('bank.example', 'https://www.bank.example/')).toBeNull();
  expect(dishonest('read more', 'https://evil.example')).toBeNull();
});

test('plain text becomes lines, quotes and links, and nothing else', () => {
  const html = textAsHtml('<b>&\n> one\n>> two\nsee https://example.org/a?b=1.');
  expect(html).toContain('&lt;b&gt;&amp;');
  expect(html).toContain('<blockquote>one\n<blockquote>two\n</blockquote></blockquote>');
  expect(html).toContain('<a href="https://example.org/a?b=1">https://example.org/a?b=1</a>.');
});

test('a style fetches nothing', () => {
  expect(still('background:url(https://x.example/a)')).toBe('background:none');
  expect(still("background:url( 'https://x.example/a(b)' ) red")).toBe('background:none red');
  expect(still('background:image-set("https://x.example/a" 1x)')).toBe('background:none');
});

test('prefixes of answers do not pile up', () => {
  expect(prefixed('Re:', 'RE: 回复：Fwd: Plan')).toBe('Re: Plan');
  expect(prefixed('回复：', 'Re: 计划')).toBe('回复：计划');
});

test('a forgotten attachment is noticed in both languages, in one’s own words only', () => {
  for (const text of ['Please find attached', 'see the attachment', '详见附件', '随信附上']) expect(speaksOfAttachment(text)).toBe(true);
  for (const text of ['> attached', 'I am attentive', '附近']) expect(speaksOfAttachment(text)).toBe(false);
  expect(meantDomain('a@gmial.com')).toBe('gmail.com');
});

test('mailto brings people and words, nothing that acts', () => {
  const found = mailto('mailto:a@b.c?subject=Hi%0d%0aBcc:x@y.z&body=%3Cscript%3E&cc=d@e.f&attach=/etc/passwd');
  expect(found.to).toEqual([{ name: null, email: 'a@b.c' }]);
  expect(found.subject).toBe('Hi Bcc:x@y.z');
  expect(found.below).toContain('&lt;script&gt;');
  expect(found.parts).toEqual([]);
});

test('folders are found by letters and by the initials of their characters', () => {
  expect(initials('项目')).toBe('xm');
  expect(meant('已发送', 'yfs')).toBe(true);
  expect(meant('Annual Plan', 'ap')).toBe(true);
  expect(meant('Travel', 'x')).toBe(false);
});
