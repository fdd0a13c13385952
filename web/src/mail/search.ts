// What is typed into the search field, as conditions: words, "phrases", operators in both languages, and - for what must not be there.
import { dayOf, moment, shifted } from './dates';
import type { Condition, Filter } from '../jmap/email';
import type { Mailbox } from '../jmap/mailbox';

export interface Chip {
  /** As it was typed. */
  text: string;
  not: boolean;
  name: Name | 'words';
  value: string;
}

type Name = 'from' | 'to' | 'cc' | 'subject' | 'body' | 'has' | 'is' | 'in' | 'before' | 'after' | 'larger' | 'smaller';

const NAMES: Record<string, Name> = {
  from: 'from', 发件人: 'from', 来自: 'from',
  to: 'to', 收件人: 'to',
  cc: 'cc', 抄送: 'cc',
  subject: 'subject', 主题: 'subject',
  body: 'body', 正文: 'body',
  has: 'has', 包含: 'has',
  is: 'is', 状态: 'is',
  in: 'in', 文件夹: 'in',
  before: 'before', 早于: 'before',
  after: 'after', 晚于: 'after',
  larger: 'larger', 大于: 'larger',
  smaller: 'smaller', 小于: 'smaller',
};

/** The operators as they are written in a language, for the suggestions. */
export const OPERATORS = {
  en: ['from:', 'to:', 'subject:', 'body:', 'has:attachment', 'is:unread', 'is:flagged', 'in:', 'after:', 'before:', 'larger:1MB'],
  zh: ['发件人:', '收件人:', '主题:', '正文:', '包含:附件', '状态:未读', '状态:星标', '文件夹:', '晚于:', '早于:', '大于:1MB'],
};

const UNREAD = ['unread', '未读'];
const READ = ['read', '已读'];
const FLAGGED = ['flagged', 'starred', '星标', '标记'];
const ATTACHMENT = ['attachment', 'attachments', '附件'];

/** The pieces of what was typed. A full-width colon and quotes are taken as well. */
export function chips(typed: string): Chip[] {
  const all: Chip[] = [];
  const piece = /(-?)(?:([\p{L}]+)[:：])?(?:["“”]([^"“”]*)["“”]?|(\S+))/gu;
  for (const [text, minus, operator, quoted, plain] of typed.matchAll(piece)) {
    const name = operator === undefined ? undefined : NAMES[operator.toLowerCase()];
    const value = quoted !== undefined ? quoted : (plain ?? '');
    if (name) all.push({ text, not: minus === '-', name, value });
    // What only looks like an operator is a word.
    else all.push({ text, not: minus === '-', name: 'words', value: quoted !== undefined && !operator ? `"${quoted}"` : text.replace(/^-/, '') });
  }
  return all.filter((chip) => chip.value !== '' && chip.value !== '""');
}

/** The day that a text means, as the start of it where the reader is: 2026-01-31, 2026/1/31, 7d, yesterday. */
export function day(text: string, now: Date): Date | null {
  const found = named(text, dayOf(now));
  // Years of other than four digits are meant by nobody.
  return found && /^\d{4}-/.test(found) ? moment(`${found}T00:00`) : null;
}

function named(text: string, today: string): string | null {
  if (/^(today|今天)$/i.test(text)) return today;
  if (/^(yesterday|昨天)$/i.test(text)) return shifted(today, { days: -1 });
  const ago = /^(\d{1,4})([dwmy天日周月年])$/.exec(text);
  if (ago) {
    const [count, unit] = [-Number(ago[1]), ago[2]!];
    return shifted(today, 'd天日'.includes(unit) ? { days: count } : 'w周'.includes(unit) ? { days: 7 * count } : 'm月'.includes(unit) ? { months: count } : { years: count });
  }
  const date = /^(\d{4})[-/.年](\d{1,2})(?:[-/.月](\d{1,2})日?)?$/.exec(text);
  return date && Number(date[2]) <= 12 && Number(date[3] ?? 1) <= 31 ? shifted(`${date[1]}-01-01`, { months: Number(date[2]) - 1, days: Number(date[3] ?? 1) - 1 }) : null;
}

function bytes(text: string): number | null {
  const size = /^(\d+(?:\.\d+)?)\s*([kmg]?)b?$/i.exec(text);
  const power = { '': 0, k: 1, m: 2, g: 3 }[(size?.[2] ?? '').toLowerCase()] ?? 0;
  return size ? Math.round(Number(size[1]) * 1024 ** power) : null;
}

const utc = (date: Date) => date.toISOString().replace(/\.\d+Z$/, 'Z');

function condition(chip: Chip, mailboxes: Mailbox[], nameOf: (mailbox: Mailbox) => string, now: Date): Condition | null {
  const value = chip.value.toLowerCase();
  switch (chip.name) {
    case 'words':
      return { text: chip.value };
    case 'from':
    case 'to':
    case 'cc':
    case 'subject':
    case 'body':
      return { [chip.name]: chip.value };
    case 'has':
      return ATTACHMENT.includes(value) ? { hasAttachment: true } : null;
    case 'is':
      if (UNREAD.includes(value)) return { notKeyword: '$seen' };
      if (READ.includes(value)) return { hasKeyword: '$seen' };
      return FLAGGED.includes(value) ? { hasKeyword: '$flagged' } : null;
    case 'in': {
      const found = mailboxes.find((mailbox) => [mailbox.name, nameOf(mailbox), mailbox.role].some((name) => name?.toLowerCase() === value));
      return found ? { inMailbox: found.id } : null;
    }
    case 'before':
    case 'after': {
      const date = day(chip.value, now);
      return date && { [chip.name]: utc(date) };
    }
    default: {
      const size = bytes(chip.value);
      return size === null ? null : chip.name === 'larger' ? { minSize: size } : { maxSize: size };
    }
  }
}

/** The filter that all of these come to; `null` for nothing. What cannot be read as its operator says is left out. */
export function filterOf(all: Chip[], mailboxes: Mailbox[], nameOf: (mailbox: Mailbox) => string, now = new Date()): Filter | null {
  const conditions = all.flatMap((chip): Filter[] => {
    const one = condition(chip, mailboxes, nameOf, now);
    if (!one) return [];
    return [chip.not ? { operator: 'NOT', conditions: [one] } : one];
  });
  if (conditions.length === 0) return null;
  return conditions.length === 1 ? conditions[0]! : { operator: 'AND', conditions };
}
