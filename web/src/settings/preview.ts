// Which of the newest messages a rule would have met: the conditions as the server's, on what the server tells of them.
import type { Client } from '../jmap/client';
import type { EmailAddress } from '../jmap/email';
import type { Condition, Field, Rule } from '../jmap/rules';
import type { Get, Query } from '../jmap/standard';
import type { Id } from '../jmap/session';

/** Messages that are looked at, and bytes of each one's text. */
export const NEWEST = 100;
const TEXT = 20_000;

export interface Sample {
  id: Id;
  from: EmailAddress[] | null;
  to: EmailAddress[] | null;
  cc: EmailAddress[] | null;
  subject: string | null;
  size: number;
  hasAttachment: boolean;
  text: string;
  /** The fields that were asked for, by their names in lower case. */
  headers: Record<string, string[]>;
}

/** The header fields that conditions look at besides those that every sample has. */
const fieldsOf = (conditions: Condition[]): string[] =>
  conditions.flatMap((one) => ('exists' in one ? [one.exists.header] : 'text' in one && typeof one.text.field === 'object' ? [one.text.field.header] : [])).filter((name) => /^[\x21-\x39\x3b-\x7e]+$/.test(name));

/** A field as rules compare it: without its folds, encoded words as what they say (RFC 5228 §2.7.2, RFC 2047). Any field is told raw; as text only some (RFC 8621 §4.1.2). */
export function unfolded(raw: string): string {
  const whole = raw.replace(/\r?\n(?=[ \t])/g, '').replace(/(=\?[^?\s]+\?[bq]\?[^?\s]*\?=)\s+(?==\?)/gi, '$1');
  return whole.trim().replace(/=\?([^?*\s]+)(?:\*[^?]*)?\?([bq])\?([^?\s]*)\?=/gi, (word, charset: string, kind: string, text: string) => {
    try {
      const plain = /b/i.test(kind) ? atob(text) : text.replace(/_/g, ' ').replace(/=([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
      return new TextDecoder(charset).decode(Uint8Array.from(plain, (char) => char.charCodeAt(0)));
    } catch {
      return word;
    }
  });
}

export async function newest(client: Client, inMailbox: Id, conditions: Condition[]): Promise<Sample[]> {
  const names = [...new Set(fieldsOf(conditions))];
  const query = client.queued<Query>('Email/query', { filter: { inMailbox }, sort: [{ property: 'receivedAt', isAscending: false }], limit: NEWEST });
  const got = client.queued<Get<Omit<Sample, 'text' | 'headers'> & { [field: `header:${string}`]: string[]; textBody: { partId: string }[]; bodyValues: Record<string, { value: string }> }>>('Email/get', {
    '#ids': { resultOf: query.id, name: 'Email/query', path: '/ids' },
    properties: ['id', 'from', 'to', 'cc', 'subject', 'size', 'hasAttachment', 'textBody', 'bodyValues', ...names.map((name) => `header:${name}:all`)],
    fetchTextBodyValues: true,
    maxBodyValueBytes: TEXT,
  });
  return (await got.result).list.map((one) => ({
    ...one,
    headers: Object.fromEntries(names.map((name) => [name.toLowerCase(), (one[`header:${name}:all`] ?? []).map(unfolded)])),
    text: one.textBody.map(({ partId }) => one.bodyValues[partId]?.value ?? '').join('\n'),
  }));
}

const folded = (text: string) => text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());

/** The texts of a field; of an address its name is no part of what is compared (RFC 5228 §5.1). */
function textsOf(field: Field, one: Sample): string[] {
  const emails = (all: EmailAddress[] | null) => (all ?? []).map(({ email }) => email);
  if (field === 'from') return emails(one.from);
  if (field === 'to') return emails(one.to);
  if (field === 'cc') return emails(one.cc);
  if (field === 'recipient') return [...emails(one.to), ...emails(one.cc)];
  if (field === 'subject') return [one.subject ?? ''];
  if (field === 'body') return [one.text];
  return one.headers[field.header.toLowerCase()] ?? [];
}

const pattern = (text: string) => new RegExp(`^${[...text].map((char) => (char === '*' ? '.*' : char === '?' ? '.' : char.replace(/[.+^${}()|[\]\\]/g, '\\$&'))).join('')}$`, 's');

function isTrue(condition: Condition, one: Sample): boolean {
  if ('larger' in condition) return one.size > condition.larger;
  if ('smaller' in condition) return one.size < condition.smaller;
  if ('attachment' in condition) return one.hasAttachment !== condition.attachment.not;
  if ('exists' in condition) return (one.headers[condition.exists.header.toLowerCase()]?.length ?? 0) > 0 !== condition.exists.not;
  // What depends on the day is as it is today.
  if ('today' in condition) return true;
  const { field, how, values, not } = condition.text;
  const found = textsOf(field, one).map(folded).some((text) =>
    values.some((said) => {
      const value = folded(said);
      if (how === 'is') return text === value;
      if (how === 'contains') return text.includes(value);
      if (how === 'begins') return text.startsWith(value);
      if (how === 'ends') return text.endsWith(value);
      if (how === 'domain') return (field === 'subject' || field === 'body' ? text : text.slice(text.lastIndexOf('@') + 1)) === value;
      try {
        // A regular expression stays as it was written: `\S` is not `\s`. A dot is no end of a line, as at the server.
        return (how === 'matches' ? pattern(value) : new RegExp(said, 'i')).test(text);
      } catch {
        return false;
      }
    }),
  );
  return found !== not;
}

/** Whether a rule's conditions hold for a message. */
export const meets = (rule: Pick<Rule, 'conditions' | 'quantifier'>, one: Sample): boolean =>
  rule.conditions.length === 0 || (rule.quantifier === 'all' ? rule.conditions.every((condition) => isTrue(condition, one)) : rule.conditions.some((condition) => isTrue(condition, one)));
