// Cards as files: vCard 2.1, 3.0 and 4.0 read, 3.0 written, because that is what all programs read (RFC 2426, RFC 6350).
import { blank } from './card';
import type { Fields, Labelled } from './card';

/** Cards of one file that are read. */
export const MOST = 5_000;
/** Characters of a picture's data URI that are kept. */
const PHOTO = 200_000;

interface Line {
  name: string;
  params: Record<string, string>;
  value: string;
}

/** The text of a file: UTF-8, UTF-16 with its mark, else GB18030, as most Chinese programs write. */
export function decoded(bytes: ArrayBuffer): string {
  const head = new Uint8Array(bytes.slice(0, 2));
  if (head[0] === 0xff && head[1] === 0xfe) return new TextDecoder('utf-16le').decode(bytes);
  if (head[0] === 0xfe && head[1] === 0xff) return new TextDecoder('utf-16be').decode(bytes);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return new TextDecoder('gb18030').decode(bytes);
  }
}

function quotedPrintable(text: string, charset: string): string {
  const bytes: number[] = [];
  for (let at = 0; at < text.length; at++) {
    const hex = text[at] === '=' ? /^[0-9a-f]{2}/i.exec(text.slice(at + 1, at + 3)) : null;
    if (hex) {
      bytes.push(parseInt(hex[0], 16));
      at += 2;
    } else bytes.push(...new TextEncoder().encode(text[at]));
  }
  try {
    return new TextDecoder(charset || 'utf-8').decode(new Uint8Array(bytes));
  } catch {
    return new TextDecoder().decode(new Uint8Array(bytes));
  }
}

function lines(text: string): Line[] {
  // Folded lines (RFC 6350 §3.2), and the soft ends of quoted-printable in 2.1.
  const whole: string[][] = [];
  let isQuoted = false;
  for (const raw of text.split(/\r\n|\r|\n/)) {
    const last = whole.at(-1);
    if (/^[ \t]/.test(raw) && last) last.push(raw.slice(1));
    else if (last && isQuoted && last.at(-1)!.endsWith('=')) last.push(last.pop()!.slice(0, -1), raw);
    else {
      whole.push([raw]);
      isQuoted = /;ENCODING=QUOTED-PRINTABLE/i.test(raw.split(':', 1)[0]!);
    }
  }
  return whole.flatMap((parts) => {
    const line = parts.join('');
    const found = /^(?:[\w-]+\.)?([\w-]+)((?:;(?:"[^"]*"|[^":;])*)*):(.*)$/s.exec(line);
    if (!found) return [];
    const params: Record<string, string> = {};
    for (const one of found[2]!.split(';').filter(Boolean)) {
      const [key = '', value] = one.split('=', 2);
      // 2.1 has bare types.
      const [name, said] = value === undefined ? ['TYPE', key] : [key.toUpperCase(), value.replace(/"/g, '')];
      params[name] = params[name] ? `${params[name]},${said}` : said;
    }
    let value = found[3]!;
    if (/quoted-printable/i.test(params.ENCODING ?? params.TYPE ?? '')) value = quotedPrintable(value, params.CHARSET ?? '');
    return [{ name: found[1]!.toUpperCase(), params, value }];
  });
}

const unescaped = (text: string) => text.replace(/\\([\\,;nN])/g, (_, char: string) => (char === 'n' || char === 'N' ? '\n' : char)).trim();
const pieces = (text: string) => (text.match(/(?:\\.|[^;\\])+|(?<=;|^)(?=;|$)/g) ?? []).map(unescaped);

function where(type: string | undefined): Labelled['place'] {
  const types = (type ?? '').toLowerCase();
  return types.includes('work') ? 'work' : types.includes('home') ? 'private' : '';
}

function take(fields: Fields, { name, params, value }: Line): void {
  if (name === 'FN') fields.name = unescaped(value);
  else if (name === 'N' && !fields.name) {
    const [family = '', given = ''] = pieces(value);
    fields.name = /\p{Script=Han}/u.test(family + given) ? family + given : [given, family].filter(Boolean).join(' ');
  } else if (name === 'NICKNAME') fields.nickname = unescaped(value);
  else if (name === 'ORG') {
    const [company = '', ...units] = pieces(value);
    [fields.company, fields.department] = [company, units.filter(Boolean).join(' / ')];
  } else if (name === 'TITLE') fields.title = unescaped(value);
  else if (name === 'EMAIL') fields.emails.push({ value: unescaped(value).replace(/^mailto:/i, ''), place: where(params.TYPE) });
  else if (name === 'TEL') fields.phones.push({ value: unescaped(value).replace(/^tel:/i, ''), place: where(params.TYPE) });
  else if (name === 'ADR') fields.address ||= pieces(value).filter(Boolean).join(' ');
  else if (name === 'NOTE') fields.note = unescaped(value);
  else if (name === 'BDAY') {
    const day = /^(\d{4}|--)-?(\d{2})-?(\d{2})/.exec(value);
    if (day) fields.birthday = `${day[1] === '--' ? '0000' : day[1]}-${day[2]}-${day[3]}`;
  } else if (name === 'PHOTO') {
    const kind = /png/i.test(params.TYPE ?? params.MEDIATYPE ?? '') ? 'png' : /gif/i.test(params.TYPE ?? '') ? 'gif' : 'jpeg';
    const uri = /^data:image\/(?:png|jpeg|gif|webp);base64,/i.test(value) ? value : /^(?:b|base64)$/i.test(params.ENCODING ?? '') ? `data:image/${kind};base64,${value.replace(/\s/g, '')}` : '';
    if (uri.length <= PHOTO) fields.photo = uri;
  }
}

export function readVcards(text: string): Fields[] {
  const all: Fields[] = [];
  let open: Fields | null = null;
  for (const line of lines(text)) {
    if (line.name === 'BEGIN' && /^vcard$/i.test(line.value.trim())) open = blank();
    else if (line.name === 'END' && open) {
      if (open.name || open.emails.length > 0 || open.company) all.push(open);
      if (all.length >= MOST) break;
      open = null;
    } else if (open) take(open, line);
  }
  return all;
}

const escaped = (text: string) => text.replace(/[\\,;]/g, '\\$&').replace(/\r?\n/g, '\\n');

/** Lines of at most 75 octets (RFC 2426 §2.6), cut between characters. */
function folded(line: string): string {
  let out = '';
  let room = 75;
  for (const char of line) {
    const size = new TextEncoder().encode(char).length;
    if (size > room) {
      out += '\r\n ';
      room = 74;
    }
    out += char;
    room -= size;
  }
  return out;
}

export function writeVcards(all: Fields[]): string {
  const type = (one: Labelled) => (one.place === 'work' ? ';TYPE=WORK' : one.place === 'private' ? ';TYPE=HOME' : '');
  const card = (fields: Fields): string[] => {
    const photo = /^data:image\/(\w+);base64,(.*)$/.exec(fields.photo);
    return [
      'BEGIN:VCARD',
      'VERSION:3.0',
      `FN:${escaped(fields.name || fields.emails[0]?.value || fields.company)}`,
      `N:${escaped(fields.name)};;;;`,
      ...(fields.nickname ? [`NICKNAME:${escaped(fields.nickname)}`] : []),
      ...(fields.company || fields.department ? [`ORG:${[fields.company, ...fields.department.split(/\s*\/\s*/).filter(Boolean)].map(escaped).join(';')}`] : []),
      ...(fields.title ? [`TITLE:${escaped(fields.title)}`] : []),
      ...fields.emails.map((one) => `EMAIL${type(one)}:${escaped(one.value)}`),
      ...fields.phones.map((one) => `TEL${type(one)}:${escaped(one.value)}`),
      ...(fields.address ? [`ADR:;;${escaped(fields.address)};;;;`] : []),
      ...(/^\d{4}-/.test(fields.birthday) && !fields.birthday.startsWith('0000') ? [`BDAY:${fields.birthday}`] : []),
      ...(fields.note ? [`NOTE:${escaped(fields.note)}`] : []),
      ...(photo ? [`PHOTO;ENCODING=b;TYPE=${photo[1]!.toUpperCase()}:${photo[2]}`] : []),
      'END:VCARD',
    ];
  };
  return all.flatMap(card).map((line) => `${folded(line)}\r\n`).join('');
}
