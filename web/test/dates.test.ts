import { afterEach, expect, test } from 'vitest';
import { prefs } from '../src/app/prefs.svelte';
import { day, dayOf, long, moment, short } from '../src/mail/dates';

afterEach(() => void (prefs.zone = ''));

test('times are shown in the time zone that was chosen', () => {
  const text = '2026-01-31T20:30:00Z';
  prefs.zone = 'Asia/Shanghai';
  expect(dayOf(new Date(text))).toBe('2026-02-01');
  expect(short(text, 'en', new Date('2026-02-01T01:00:00Z'))).toBe('04:30');
  expect(long(text, 'zh')).toContain('2026年2月1日');
  prefs.zone = 'America/New_York';
  expect(dayOf(new Date(text))).toBe('2026-01-31');
  expect(short(text, 'en', new Date('2026-01-31T22:00:00Z'))).toBe('15:30');
  expect(short(text, 'en', new Date('2026-02-02T22:00:00Z'))).toBe('Sat');
});

test('a day that was chosen is that day everywhere', () => {
  for (const zone of ['Pacific/Kiritimati', 'America/Los_Angeles', 'UTC']) {
    prefs.zone = zone;
    expect(day('2026-03-05T00:00:00Z', 'en')).toBe('5 Mar 2026');
  }
});

test('a time that is typed is the time there, across the change of the clocks too', () => {
  prefs.zone = 'Asia/Shanghai';
  expect(moment('2026-01-31T08:00').toISOString()).toBe('2026-01-31T00:00:00.000Z');
  prefs.zone = 'Europe/Berlin';
  expect(moment('2026-03-29T08:00').toISOString()).toBe('2026-03-29T06:00:00.000Z');
  expect(moment('2026-03-28T08:00').toISOString()).toBe('2026-03-28T07:00:00.000Z');
});
