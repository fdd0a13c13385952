import { expect, test } from 'vitest';
import { isText, textOf } from '../src/mail/office';
import { zip } from '../src/mail/export';

/** A document as its program writes it, of parts as they are. */
const made = (parts: Record<string, string>) => zip(Object.entries(parts).map(([name, text]) => ({ name, bytes: new TextEncoder().encode(text), at: new Date(0) }))).arrayBuffer();

test('what can be read as text is known by its name and kind', () => {
  for (const [name, type] of [['a.docx', 'application/octet-stream'], ['表.XLSX', ''], ['notes.txt', ''], ['x', 'text/plain'], ['x', 'application/json']]) expect(isText(name!, type!), name).toBe(true);
  for (const [name, type] of [['a.pdf', 'application/pdf'], ['page', 'text/html'], ['a.doc', 'application/msword'], ['a.exe', '']]) expect(isText(name!, type!), name).toBe(false);
});

test('documents are shown by their text', async () => {
  expect(await textOf('a.docx', await made({ 'word/document.xml': '<w:p w:x="1"><w:r><w:t>年度</w:t><w:t xml:space="preserve"> plan &amp; &#26757;</w:t></w:r></w:p><w:p><w:tab/><w:t>two</w:t></w:p>', 'word/styles.xml': '<w:t>no</w:t>' }))).toBe('年度 plan & 梅\n\ttwo');
  expect(await textOf('a.xlsx', await made({ 'xl/sharedStrings.xml': '<si><t>名称</t></si><si><r><t>a</t></r><r><t>b</t></r></si>', 'xl/worksheets/sheet1.xml': '<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="s"><v>1</v></c></row><row><c r="A2"/><c r="B2"><v>42</v></c></row>' }))).toBe('名称\tab\n\t42');
  expect(await textOf('a.pptx', await made({ 'ppt/slides/slide2.xml': '<a:p><a:t>second</a:t></a:p>', 'ppt/slides/slide10.xml': '<a:p><a:t>last</a:t></a:p>' }))).toBe('second\n\nlast');
});

test('what is no document is shown as none', async () => {
  expect(await textOf('a.docx', new TextEncoder().encode('PK no zip at all').buffer as ArrayBuffer)).toBeNull();
  expect(await textOf('a.docx', new ArrayBuffer(0))).toBeNull();
  expect(await textOf('a.docx', await made({ 'other.xml': 'x' }))).toBeNull();
  expect(await textOf('a.txt', Uint8Array.from([0xd0, 0xd5]).buffer)).toBe('姓');
});
