// Times and sizes as people read them, in the time zone that they chose.
import { prefs } from '../app/prefs.svelte';
import type { Language } from '../app/prefs.svelte';

const TAGS = { en: 'en-GB', zh: 'zh-CN' };
const known = new Map<string, Intl.DateTimeFormat>();

function format(language: Language, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const timeZone = options.timeZone ?? (prefs.zone || undefined);
  const key = `${language}${timeZone}${JSON.stringify(options)}`;
  let found = known.get(key);
  if (!found) known.set(key, (found = made(TAGS[language], { ...options, timeZone })));
  return found;
}

/** In the device's time zone where the browser does not know the one that was chosen in another. */
function made(tag: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  try {
    return new Intl.DateTimeFormat(tag, options);
  } catch {
    return new Intl.DateTimeFormat(tag, { ...options, timeZone: undefined });
  }
}

/** The day of a moment where its reader is, as `2026-01-31`. */
export function dayOf(date: Date): string {
  // Each row asks, and the device's own time zone tells much sooner than one that was chosen.
  if (!prefs.zone) return [String(date.getFullYear()).padStart(4, '0'), date.getMonth() + 1, date.getDate()].map((part) => String(part).padStart(2, '0')).join('-');
  const parts = Object.fromEntries(format('en', { year: 'numeric', month: '2-digit', day: '2-digit' }).formatToParts(date).map(({ type, value }) => [type, value]));
  return `${parts.year!.padStart(4, '0')}-${parts.month}-${parts.day}`;
}

export const today = () => dayOf(new Date());

/** Days since 1970 of a day. */
const number = (day: string) => Date.parse(`${day}T00:00:00Z`) / 86_400_000;

/** Short, for a row: the time today, the weekday this week, the day this year, else the date. */
export function short(text: string, language: Language, now = new Date()): string {
  const date = new Date(text);
  const [then, here] = [dayOf(date), dayOf(now)];
  const ago = number(here) - number(then);
  if (ago === 0) return format(language, { hour: '2-digit', minute: '2-digit', hour12: false }).format(date);
  if (ago > 0 && ago <= 5) return format(language, { weekday: 'short' }).format(date);
  if (then.slice(0, 4) === here.slice(0, 4)) return format(language, { month: 'short', day: 'numeric' }).format(date);
  return format(language, { year: 'numeric', month: '2-digit', day: '2-digit' }).format(date);
}

/** A day that is meant wherever one is: of what was kept as its midnight in UTC. */
export const day = (text: string, language: Language) => format(language, { year: 'numeric', month: 'short', day: 'numeric', timeZone: 'UTC' }).format(new Date(text));

export const long = (text: string | Date, language: Language) =>
  format(language, { year: 'numeric', month: 'long', day: 'numeric', weekday: 'short', hour: '2-digit', minute: '2-digit', hour12: false }).format(new Date(text));

/** How far clocks of the reader's time zone are from UTC at a moment, in milliseconds. */
function offset(moment: number): number {
  const { year, month, day, hour, minute, second } = Object.fromEntries(format('en', { year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' }).formatToParts(moment).map(({ type, value }) => [type, Number(value)]));
  return Date.UTC(year!, month! - 1, day, hour, minute, second) - Math.floor(moment / 1_000) * 1_000;
}

/** The moment when clocks of the reader's time zone show this day and time, `2026-01-31T08:00`. */
export function moment(clock: string): Date {
  const shown = Date.parse(`${clock}Z`);
  // Twice, because the offset there may be another than that here.
  const near = shown - offset(shown);
  return new Date(shown - offset(near));
}

/** A day so many days, months, years from another one. */
export function shifted(day: string, { days = 0, months = 0, years = 0 }: { days?: number; months?: number; years?: number }): string {
  const at = new Date(`${day}T00:00:00Z`);
  at.setUTCFullYear(at.getUTCFullYear() + years, at.getUTCMonth() + months, at.getUTCDate() + days);
  return at.toISOString().slice(0, 10);
}

/** A number of bytes. */
export function size(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  const unit = bytes < 1024 ** 2 ? 1 : bytes < 1024 ** 3 ? 2 : 3;
  const value = bytes / 1024 ** unit;
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${['', 'KB', 'MB', 'GB'][unit]}`;
}
