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

test('cells stand in their columns, and dates are dates', async () => {
  const sheet = '<sheetData><row r="1"><c r="B1"><v>1</v></c><c r="E1" t="b"><v>1</v></c></row><row r="2"><c s="1"><v>45292</v></c><c r="C2" s="2"><v>45292.75</v></c><c r="D2" s="3"><v>0.5</v></c><c r="E2" s="4"><v>45292</v></c><c r="F2" s="5"><v>1.5</v></c><c r="G2" t="inlineStr" s="1"><is><t>7 &lt; 8</t></is></c></row></sheetData>';
  const styles = '<numFmts count="3"><numFmt numFmtId="164" formatCode="yyyy&quot;年&quot;m&quot;月&quot;d&quot;日&quot; hh:mm"/><numFmt numFmtId="165" formatCode="&quot;day&quot; 0.00"/><numFmt numFmtId="166" formatCode="[h]:mm"/></numFmts><cellStyleXfs><xf numFmtId="14"/></cellStyleXfs><cellXfs count="6"><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="164"/><xf numFmtId="20"/><xf numFmtId="165"/><xf numFmtId="166"/></cellXfs>';
  const parts = { 'xl/styles.xml': styles, 'xl/worksheets/sheet1.xml': sheet };
  expect(await textOf('a.xlsx', await made(parts))).toBe('\t1\t\t\tTRUE\n2024-01-01\t\t2024-01-01 18:00\t12:00\t45292\t1.5\t7 < 8');
  expect(await textOf('a.xlsx', await made({ ...parts, 'xl/workbook.xml': '<workbookPr date1904="1"/>', 'xl/worksheets/sheet1.xml': '<row><c s="1"><v>43830</v></c></row>' }))).toBe('2024-01-01');
});

test('how a text is read aloud is no part of a cell', async () => {
  expect(await textOf('a.xlsx', await made({ 'xl/sharedStrings.xml': '<si><t>東京</t><rPh sb="0" eb="2"><t>トウキョウ</t></rPh></si><si><t>大阪</t></si>', 'xl/worksheets/sheet1.xml': '<row><c t="s"><v>0</v></c><c t="s"><v>1</v></c></row>' }))).toBe('東京\t大阪');
});

test('a sheet of far places and many cells is shown as far as there is room', async () => {
  const far = '<row><c r="XFD1"><v>1</v></c><c r="ZZZ1"><v>2</v></c></row>'.repeat(200);
  const shown = (await textOf('a.xlsx', await made({ 'xl/worksheets/sheet1.xml': far })))!;
  expect(shown.length).toBe(400_001);
  expect(shown).toMatch(/^\t{16383}1\t2\n/);
  const many = (await textOf('a.xlsx', await made({ 'xl/worksheets/sheet1.xml': `<row>${'<c><v>7</v></c>'.repeat(900_000)}</row>` })))!;
  expect(many.length).toBe(400_001);
});

test('of more parts than anybody makes the first are read', async () => {
  const slides = Object.fromEntries(Array.from({ length: 2_100 }, (_, at) => [`ppt/slides/slide${at + 1}.xml`, `<a:p><a:t>s${at + 1}</a:t></a:p>`]));
  const shown = (await textOf('a.pptx', await made(slides)))!;
  expect(shown).toMatch(/^s1\n\ns2\n/);
  expect(shown).toMatch(/s2000$/);
});

test('what is no document is shown as none', async () => {
  expect(await textOf('a.docx', new TextEncoder().encode('PK no zip at all').buffer as ArrayBuffer)).toBeNull();
  expect(await textOf('a.docx', new ArrayBuffer(0))).toBeNull();
  expect(await textOf('a.docx', await made({ 'other.xml': 'x' }))).toBeNull();
  expect(await textOf('a.txt', Uint8Array.from([0xd0, 0xd5]).buffer)).toBe('姓');
});
