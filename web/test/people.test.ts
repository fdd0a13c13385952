import { expect, test } from 'vitest';
import { fieldsOf, propertiesOf } from '../src/contacts/card';
import { readTable, rows, writeTable } from '../src/contacts/csv';
import { decoded, readVcards, writeVcards } from '../src/contacts/vcard';
import { mboxEntry, zip } from '../src/mail/export';

const names = { name: 'Name', nickname: 'Nickname', company: 'Company', department: 'Department', title: 'Title', email: 'E-mail', phone: 'Phone', address: 'Address', birthday: 'Birthday', note: 'Note' };

test('a vCard goes out as it came in', () => {
  const all = readVcards(
    'BEGIN:VCARD\r\nVERSION:3.0\r\nFN:陈雁\r\nORG:图书馆;采编部\r\nitem1.EMAIL;TYPE=WORK:chen@anser.test\r\nTEL;TYPE=CELL:139\r\nBDAY:19800203\r\nNOTE:one\\, two\\nthr\r\n ee\r\nEND:VCARD\r\n',
  );
  expect(all).toHaveLength(1);
  expect(all[0]).toMatchObject({ name: '陈雁', company: '图书馆', department: '采编部', emails: [{ value: 'chen@anser.test', place: 'work' }], birthday: '1980-02-03', note: 'one, two\nthree' });
  expect(readVcards(writeVcards(all))).toEqual(all);
  for (const line of writeVcards(all).split('\r\n')) expect(new TextEncoder().encode(line).length).toBeLessThanOrEqual(75);
});

test('a vCard of an old telephone is read', () => {
  const [card] = readVcards('BEGIN:VCARD\nVERSION:2.1\nN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:=E7=8E=8B;=E8=8A=\n=B3;;;\nTEL;CELL;PREF:10086\nEND:VCARD\n');
  expect(card).toMatchObject({ name: '王芳', phones: [{ value: '10086', place: '' }] });
});

test('tables of several programs are understood', () => {
  const outlook = 'First Name,Last Name,Company,E-mail Address,E-mail Type,Business Phone\r\nWei,Lin,"Harbour, Ltd",wei@a.example,SMTP,123\r\n';
  expect(readTable(outlook)[0]).toMatchObject({ name: 'Wei Lin', company: 'Harbour, Ltd', emails: [{ value: 'wei@a.example' }], phones: [{ value: '123', place: 'work' }], note: '' });
  expect(readTable('姓;名;邮箱;手机\n欧阳;雪;o@b.example;139\n')[0]).toMatchObject({ name: '欧阳雪', emails: [{ value: 'o@b.example' }] });
  expect(readTable('Bob,bob@c.example\n')[0]).toMatchObject({ name: 'Bob', emails: [{ value: 'bob@c.example' }] });
  expect(rows('a,"b\r\n""c"""\r\n\r\nd,e')).toEqual([['a', 'b\r\n"c"'], ['d', 'e']]);
});

test('a table that goes out starts no formula and comes back', () => {
  const [one] = readTable('Name,E-mail,Note\n=cmd(),x@a.example,@sum\n');
  const text = writeTable([one!], names);
  expect(text).toContain(`"'=cmd()"`);
  expect(readTable(text)[0]!.emails).toEqual(one!.emails);
});

test('a file tells its encoding by itself', () => {
  expect(decoded(Uint8Array.from([0xd0, 0xd5, 0xc3, 0xfb]).buffer)).toBe('姓名');
  expect(decoded(new TextEncoder().encode('姓名').buffer as ArrayBuffer)).toBe('姓名');
  expect(decoded(Uint8Array.from([0xff, 0xfe, 0xd3, 0x59]).buffer)).toBe('姓');
});

test('what a form does not show stays in a card', () => {
  const card = { id: 'C1', uid: 'u', addressBookIds: {}, name: { full: 'Ann', components: [{ kind: 'given', value: 'Ann' }] }, emails: { home: { address: 'a@b.example', pref: 1 } }, media: { logo: { kind: 'logo', uri: 'https://x' } } } as never;
  const patch = propertiesOf({ ...fieldsOf(card), title: 'Head' }, card) as Record<string, Record<string, Record<string, unknown>>>;
  expect(patch.name).toEqual({ full: 'Ann', components: [{ kind: 'given', value: 'Ann' }] });
  expect(Object.values(patch.emails!)[0]).toMatchObject({ address: 'a@b.example', pref: 1 });
  expect(patch.media).toEqual({ logo: { kind: 'logo', uri: 'https://x' } });
  expect(Object.values(patch.titles!)[0]).toMatchObject({ name: 'Head' });
});

test('an mbox marks what looks like its own lines', () => {
  const entry = new TextDecoder().decode(mboxEntry({ from: [{ name: null, email: 'a@b.example' }], receivedAt: '2026-01-05T07:08:09Z' }, new TextEncoder().encode('Subject: x\r\n\r\nFrom here\r\n>From there\r\n')));
  expect(entry).toBe('From a@b.example Mon Jan  5 07:08:09 2026\nSubject: x\n\n>From here\n>>From there\n\n');
});

test('a zip holds its files where its directory says', async () => {
  const bytes = new Uint8Array(await zip([{ name: '信.eml', bytes: new TextEncoder().encode('one'), at: new Date(2026, 0, 2) }, { name: 'b', bytes: new TextEncoder().encode('two'), at: new Date(1970, 0, 1) }]).arrayBuffer());
  const view = new DataView(bytes.buffer);
  const end = bytes.length - 22;
  expect([view.getUint32(end, true), view.getUint16(end + 10, true)]).toEqual([0x06054b50, 2]);
  const central = view.getUint32(end + 16, true);
  expect([view.getUint32(central, true), view.getUint32(central + 16, true)]).toEqual([0x02014b50, 0x7a6c86f1]);
  const name = view.getUint16(central + 28, true);
  expect(new TextDecoder().decode(bytes.slice(central + 46, central + 46 + name))).toBe('信.eml');
  const second = central + 46 + name;
  expect(view.getUint32(view.getUint32(second + 42, true), true)).toBe(0x04034b50);
});
