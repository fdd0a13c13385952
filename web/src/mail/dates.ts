// Times and sizes as people read them.
import type { Language } from '../app/prefs.svelte';

const TAGS = { en: 'en-GB', zh: 'zh-CN' };
const known = new Map<string, Intl.DateTimeFormat>();

function format(language: Language, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `${language}${JSON.stringify(options)}`;
  let found = known.get(key);
  if (!found) known.set(key, (found = new Intl.DateTimeFormat(TAGS[language], options)));
  return found;
}

const DAY = 86_400_000;

/** Short, for a row: the time today, the weekday this week, the day this year, else the date. */
export function short(text: string, language: Language, now = new Date()): string {
  const date = new Date(text);
  const midnight = new Date(now.getFullYear(), now.getMonth(), now.getDate()).getTime();
  const time = date.getTime();
  if (time >= midnight && time < midnight + DAY) return format(language, { hour: '2-digit', minute: '2-digit', hour12: false }).format(date);
  if (time >= midnight - 5 * DAY && time < midnight) return format(language, { weekday: 'short' }).format(date);
  if (date.getFullYear() === now.getFullYear()) return format(language, { month: 'short', day: 'numeric' }).format(date);
  return format(language, { year: 'numeric', month: '2-digit', day: '2-digit' }).format(date);
}

export const long = (text: string | Date, language: Language) =>
  format(language, { year: 'numeric', month: 'long', day: 'numeric', weekday: 'short', hour: '2-digit', minute: '2-digit', hour12: false }).format(new Date(text));

/** The heading of a group of rows: which of these a date falls in. */
export function size(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  const unit = bytes < 1024 ** 2 ? 1 : bytes < 1024 ** 3 ? 2 : 3;
  const value = bytes / 1024 ** unit;
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${['', 'KB', 'MB', 'GB'][unit]}`;
}
