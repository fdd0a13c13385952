// With what a new letter begins: empty, or from another one.
import { words } from '../app/prefs.svelte';
import type { Body, EmailAddress, Head, Part } from '../jmap/email';
import { long } from '../mail/dates';
import type { Language } from '../app/prefs.svelte';
import { fileName } from '../mail/export';
import { address, split, whole, without } from '../mail/people';
import { escaped, textAsHtml } from '../mail/sanitise';

export type Start =
  | { kind: 'new'; to?: EmailAddress[] }
  | { kind: 'mailto'; url: string }
  | { kind: 'reply' | 'replyAll' | 'forward' | 'attach'; head: Head };

export interface Beginning {
  to: EmailAddress[];
  cc: EmailAddress[];
  subject: string;
  /** What stands below the place where one writes. */
  below: string;
  inReplyTo: string[] | null;
  references: string[] | null;
  /** Parts of the other letter that go along. */
  parts: Part[];
}

export const empty = (to: EmailAddress[] = []): Beginning => ({ to, cc: [], subject: '', below: '', inReplyTo: null, references: null, parts: [] });

/** `mailto:` (RFC 6068): who, about what; anything else of it is not taken. */
export function mailto(url: string): Beginning {
  const [path = '', query = ''] = url.replace(/^mailto:/i, '').split('?');
  const people = (text: string) => split(decoded(text)).map(address).filter((one) => one !== null);
  const fields = new URLSearchParams(query);
  return {
    ...empty(people(path)),
    cc: people(fields.get('cc') ?? ''),
    subject: (fields.get('subject') ?? '').replace(/[\r\n]+/g, ' '),
    below: fields.get('body') ? textAsHtml(fields.get('body')!) : '',
  };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** A subject with one prefix, whatever stood before it in either language. */
export function prefixed(prefix: string, subject: string | null): string {
  const bare = (subject ?? '').replace(/^(?:\s*(?:re|aw|sv|fwd?|wg|tr|回复|答复|转发)(?:\[\d+\])?\s*[:：]\s*)+/i, '').trim();
  return (prefix.endsWith('：') ? prefix + bare : `${prefix} ${bare}`).trim();
}

/** The letter's own HTML: its HTML parts, its texts as HTML. */
export function htmlOf(body: Body): string {
  const parts = body.htmlBody.some(({ type }) => type === 'text/html') ? body.htmlBody : body.textBody;
  return parts
    .map((part) => {
      const value = body.bodyValues[part.partId ?? '']?.value ?? '';
      return part.type === 'text/html' ? value : part.type.startsWith('text/') ? textAsHtml(value) : '';
    })
    .join('');
}

/** Pictures that lie in a letter's text. */
export const inside = (body: Body) => body.attachments.filter((part) => part.cid && part.blobId && part.type.startsWith('image/'));

export function answer(kind: 'reply' | 'replyAll' | 'forward' | 'attach', head: Head, body: Body, own: string[], language: Language): Beginning {
  const w = words();
  const references = [...(body.references ?? body.inReplyTo ?? []), ...(body.messageId ?? [])];
  if (kind === 'attach') {
    const part: Part = { partId: null, blobId: head.blobId, size: head.size, name: fileName(head.subject, '.eml'), type: 'message/rfc822', disposition: 'attachment', cid: null };
    return { ...empty(), subject: prefixed(w.forwardPrefix, head.subject), references, parts: [part] };
  }
  if (kind === 'forward') {
    const rows: [string, string][] = [
      [w.from, (head.from ?? []).map(whole).join(', ')],
      [w.date, long(head.sentAt ?? head.receivedAt, language)],
      [w.to, (head.to ?? []).map(whole).join(', ')],
      [w.subject, head.subject ?? ''],
    ];
    const top = rows.map(([name, value]) => `${escaped(name)}${w.colon}${escaped(value)}`).join('<br>');
    return {
      ...empty(),
      subject: prefixed(w.forwardPrefix, head.subject),
      below: `<div><br></div><div>${escaped(w.forwarded)}</div><div>${top}</div><div><br></div><div>${htmlOf(body)}</div>`,
      references,
      parts: body.attachments,
    };
  }
  const sender = body.replyTo ?? head.from ?? [];
  // Who answers a letter of their own writes to the same people again.
  const isOwn = sender.every(({ email }) => own.includes(email.toLowerCase()));
  const to = isOwn ? (head.to ?? []) : sender;
  const others = kind === 'replyAll' ? [...(isOwn ? [] : (head.to ?? [])), ...(body.cc ?? [])] : [];
  const people = without(to, []);
  const quoted = w.wrote(long(head.sentAt ?? head.receivedAt, language), head.from?.[0] ? whole(head.from[0]) : '');
  const isCut = Object.values(body.bodyValues).some(({ isTruncated }) => isTruncated);
  return {
    to: people,
    cc: without(others, [...own, ...people.map(({ email }) => email)]),
    subject: prefixed(w.replyPrefix, head.subject),
    below: `<div><br></div><div>${escaped(quoted)}</div><blockquote>${htmlOf(body)}${isCut ? '<p>[…]</p>' : ''}</blockquote>`,
    inReplyTo: body.messageId,
    references,
    parts: inside(body),
  };
}

/** Whether a text speaks of something attached. What is quoted does not count. */
export function speaksOfAttachment(text: string): boolean {
  const own = text.split('\n').filter((line) => !line.startsWith('>')).join('\n');
  return /\b(?:attach(?:ed|ment|ments|ing)|enclosed|enclosure)\b|附件|附上|随信|随函|随附|见附/i.test(own);
}

/** Domains that are often typed wrong, and what is meant. */
const TYPOS: Record<string, string> = {
  'gmial.com': 'gmail.com', 'gmai.com': 'gmail.com', 'gmail.con': 'gmail.com', 'gamil.com': 'gmail.com', 'hotmial.com': 'hotmail.com',
  'outlok.com': 'outlook.com', 'qq.con': 'qq.com', 'qq.cm': 'qq.com', '163.con': '163.com', '163.cm': '163.com', '126.con': '126.com', 'sina.con': 'sina.com',
};
export const meantDomain = (email: string): string | null => TYPOS[email.slice(email.lastIndexOf('@') + 1).toLowerCase()] ?? null;

/** HTML as plain text, for those who read that: quotes marked, lists marked, lines as they stand. */
export function asText(root: Node): string {
  let out = '';
  const line = () => {
    if (out !== '' && !out.endsWith('\n')) out += '\n';
  };
  const walk = (node: Node): void => {
    for (const child of node.childNodes) {
      if (child.nodeType === 3) out += (child.textContent ?? '').replace(/[\u00a0]/g, ' ').replace(/\s*\n\s*/g, ' ');
      if (child.nodeType !== 1) continue;
      const name = child.nodeName;
      if (name === 'BR') out += '\n';
      else if (name === 'BLOCKQUOTE') {
        line();
        const inner = asText(child).replace(/\n+$/, '');
        out += `${inner.split('\n').map((one) => (one.startsWith('>') ? `>${one}` : `> ${one}`)).join('\n')}\n`;
      } else if (name === 'LI') {
        line();
        out += child.parentNode?.nodeName === 'OL' ? `${[...child.parentNode.childNodes].indexOf(child) + 1}. ` : '- ';
        walk(child);
        line();
      } else if (name === 'A') {
        walk(child);
        const href = (child as Element).getAttribute('href') ?? '';
        if (/^https?:/.test(href) && !(child.textContent ?? '').includes(href.replace(/\/$/, ''))) out += ` <${href}>`;
      } else if (/^(?:DIV|P|H[1-6]|UL|OL|TABLE|TR|PRE|SECTION|ARTICLE)$/.test(name)) {
        line();
        walk(child);
        line();
      } else if (name !== 'STYLE' && name !== 'TITLE') {
        walk(child);
        if (name === 'TD') out += '\t';
      }
    }
  };
  walk(root);
  return out;
}
