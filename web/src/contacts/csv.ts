// Address books as tables: what Outlook, Google, Foxmail and the Chinese providers write, found by the names of their columns.
import { blank } from './card';
import type { Fields } from './card';
import { MOST } from './vcard';

/** Rows of fields: quoted where they hold what divides them (RFC 4180); divided by a comma, a semicolon or a tab, as the first line is. */
export function rows(text: string): string[][] {
  const start = text.replace(/^\uFEFF/, '');
  const head = start.slice(0, start.search(/\r|\n|$/));
  const divider = [',', ';', '\t'].toSorted((a, b) => head.split(b).length - head.split(a).length)[0]!;
  const all: string[][] = [];
  let row: string[] = [];
  let field = '';
  let quoted = false;
  const end = () => {
    row.push(field);
    if (row.some((one) => one.trim() !== '')) all.push(row);
    [row, field] = [[], ''];
  };
  for (let at = 0; at < start.length && all.length <= MOST; at++) {
    const char = start[at]!;
    if (quoted) {
      if (char !== '"') field += char;
      else if (start[at + 1] === '"') field += start[++at];
      else quoted = false;
    } else if (char === '"' && field.trim() === '') [field, quoted] = ['', true];
    else if (char === divider) {
      row.push(field);
      field = '';
    } else if (char === '\n' || char === '\r') {
      if (char === '\r' && start[at + 1] === '\n') at++;
      end();
    } else field += char;
  }
  end();
  return all;
}

type Column = 'name' | 'family' | 'given' | 'nickname' | 'company' | 'department' | 'title' | 'email' | 'workPhone' | 'homePhone' | 'phone' | 'address' | 'birthday' | 'note';

/** What a column holds, by its name in lower case. */
const COLUMNS: [RegExp, Column][] = [
  [/^(?:e-?mail|mail).*(?:type|label|display)|类型$|^(?:phone|address|organization).*(?:type|label)/, 'note'],
  [/e-?mail|邮箱|邮件|电邮|信箱/, 'email'],
  [/^(?:full |display )?name$|^file as$|姓名|^名称$|联系人|显示名/, 'name'],
  [/last name|family name|surname|^姓(?:氏)?$/, 'family'],
  [/first name|given name|^名(?:字)?$/, 'given'],
  [/nick|昵称|别名/, 'nickname'],
  [/department|部门/, 'department'],
  [/company|organi[sz]ation|公司|单位|组织/, 'company'],
  [/title|position|职务|职位|头衔/, 'title'],
  [/(?:business|work|company).*phone|办公电话|单位电话|公司电话|工作电话/, 'workPhone'],
  [/home.*phone|家庭电话|住宅电话/, 'homePhone'],
  [/phone|mobile|tel|手机|电话/, 'phone'],
  [/address|street|地址/, 'address'],
  [/birth|生日|出生/, 'birthday'],
  [/note|comment|备注|附注|说明/, 'note'],
];

export function readTable(text: string): Fields[] {
  const [head = [], ...body] = rows(text);
  const columns = head.map((name) => COLUMNS.find(([like]) => like.test(name.trim().toLowerCase()))?.[1]);
  const typed = head.map((name) => /type|label|类型/i.test(name));
  // A table without names of columns: whatever looks like an address is one, and the first other text is the name.
  const isNamed = columns.some((column) => column !== undefined) && !head.some((name) => name.includes('@'));
  const all = isNamed ? body.map((row) => named(row, columns, typed)) : [head, ...body].map(guessed);
  return all.filter((one) => one.name || one.emails.length > 0).slice(0, MOST);
}

function named(row: string[], columns: (Column | undefined)[], typed: boolean[]): Fields {
  const fields = blank();
  let [family, given] = ['', ''];
  for (const [at, raw] of row.entries()) {
    const [column, value] = [columns[at], raw.trim()];
    if (!column || value === '' || typed[at]) continue;
    if (column === 'email') for (const one of value.split(/[;,\s]+| ::: /)) if (one.includes('@') && !fields.emails.some((known) => known.value === one)) fields.emails.push({ value: one, place: '' });
    if (column === 'phone' || column === 'workPhone' || column === 'homePhone') fields.phones.push({ value, place: column === 'workPhone' ? 'work' : column === 'homePhone' ? 'private' : '' });
    if (column === 'family') family = value;
    else if (column === 'given') given = value;
    else if (column === 'birthday') fields.birthday = (/^(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})/.exec(value) ?? []).slice(1).map((part) => part.padStart(2, '0')).join('-');
    else if (column !== 'email' && column !== 'phone' && column !== 'workPhone' && column !== 'homePhone') fields[column] = fields[column] ? `${fields[column]}${column === 'note' ? '\n' : ' '}${value}` : value;
  }
  fields.name ||= /\p{Script=Han}/u.test(family + given) ? family + given : [given, family].filter(Boolean).join(' ');
  return fields;
}

function guessed(row: string[]): Fields {
  const cells = row.map((cell) => cell.trim()).filter(Boolean);
  const emails = cells.filter((cell) => /^[^\s@]+@[^\s@]+$/.test(cell));
  return { ...blank(), name: cells.find((cell) => !cell.includes('@') && !/^[\d+() -]+$/.test(cell)) ?? '', emails: emails.map((value) => ({ value, place: '' as const })) };
}

/** A cell that no spreadsheet takes for a formula. */
const cell = (text: string) => `"${(/^[=+\-@\t\r]/.test(text) && !/^\+?[\d\s()-]+$/.test(text) ? `'${text}` : text).replace(/"/g, '""')}"`;

/** UTF-8 with its mark, without which spreadsheets in China read it as GBK. */
export function writeTable(all: Fields[], names: Record<'name' | 'nickname' | 'company' | 'department' | 'title' | 'email' | 'phone' | 'address' | 'birthday' | 'note', string>): string {
  const emails = Math.max(1, ...all.map((one) => one.emails.length));
  const phones = Math.max(1, ...all.map((one) => one.phones.length));
  const several = (name: string, count: number) => Array.from({ length: count }, (_, at) => (at === 0 ? name : `${name} ${at + 1}`));
  const head = [names.name, names.nickname, names.company, names.department, names.title, ...several(names.email, emails), ...several(names.phone, phones), names.address, names.birthday, names.note];
  const row = (one: Fields) => [
    one.name, one.nickname, one.company, one.department, one.title,
    ...Array.from({ length: emails }, (_, at) => one.emails[at]?.value ?? ''), ...Array.from({ length: phones }, (_, at) => one.phones[at]?.value ?? ''),
    one.address, one.birthday, one.note,
  ];
  return `\uFEFF${[head, ...all.map(row)].map((cells) => `${cells.map(cell).join(',')}\r\n`).join('')}`;
}
