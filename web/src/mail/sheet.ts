// The cells of a workbook's sheets as text (ECMA-376 part 1 §18): each in its column, dates as dates, and no more of them than is shown.
import { inOrder, plain } from './parts';

/** Columns that a sheet may have. */
const COLUMNS = 16_384;
/** Formats of dates that have no text of their own (§18.8.30), those of other languages among them. */
const DATES = [[14, 22], [27, 36], [45, 45], [47, 47], [50, 58]] as const;
/** Of a cell: what its value is, its style, and its place. */
const TYPE = /\st="(\w+)"/;
const STYLE = /\ss="(\d+)"/;
const PLACE = /\sr="([A-Z]{1,3})\d/;

/** Cells of each sheet, a tab between them, until there are this many characters: many cells may have one long text. */
export function sheets(parts: Map<string, string>, most: number): string {
  const shared = texts(parts.get('xl/sharedStrings.xml') ?? '');
  const dates = datesOf(parts.get('xl/styles.xml') ?? '');
  const is1904 = /<workbookPr [^>]{0,500}date1904="(?:1|true)"/.test(parts.get('xl/workbook.xml') ?? '');
  const shown = (attributes: string, value: string) => {
    const kind = TYPE.exec(attributes)?.[1];
    if (kind === 's') return shared[Number(value)] ?? '';
    if (kind === 'b') return value === '1' ? 'TRUE' : 'FALSE';
    return (!kind || kind === 'n') && value !== '' && dates.has(Number(STYLE.exec(attributes)?.[1] ?? 0)) ? dated(Number(value), is1904) ?? value : value;
  };
  let text = '';
  for (const xml of inOrder(parts, /^xl\/worksheets\//)) {
    // The column that is next, the one of the cell, and what stands in it.
    let [next, column, attributes, value] = [0, 0, '', ''];
    for (const [, name, said, run] of xml.matchAll(/<(\/row|\/c|c|v|t)\b([^>]{0,500})>([^<]*)/g)) {
      if (name === 'c') {
        [attributes, value] = [said!, ''];
        column = Math.max(next, columnOf(said!) ?? next);
      } else if (name === '/c' && value !== '') {
        text += `${'\t'.repeat(column - next)}${next > 0 ? '\t' : ''}${shown(attributes, value)}`;
        next = column + 1;
      } else if (name === '/row') {
        text += '\n';
        next = 0;
      } else if (name === 'v' || (name === 't' && !said!.endsWith('/'))) value += plain(run!);
      if (text.length > most) return text;
    }
    text += '\n';
  }
  return text.trimEnd();
}

const attribute = (attributes: string, name: string) => new RegExp(`\\s${name}="([^"]*)"`).exec(attributes)?.[1];

/** `C5` is in column 2. */
function columnOf(attributes: string): number | null {
  const letters = PLACE.exec(attributes)?.[1];
  if (!letters) return null;
  const column = [...letters].reduce((sum, letter) => sum * 26 + letter.charCodeAt(0) - 64, 0) - 1;
  return column < COLUMNS ? column : null;
}

/** Texts that cells name by their place. How a text is read aloud is no part of it. */
function texts(xml: string): string[] {
  const all: string[] = [];
  let [text, isAloud] = ['', false];
  for (const [, name, run] of xml.matchAll(/<(\/si|\/?rPh|t)\b[^>]{0,500}>([^<]*)/g)) {
    if (name === '/si') [text] = ['', all.push(text)];
    else if (name === 't') text += isAloud ? '' : plain(run!);
    else isAloud = name === 'rPh';
  }
  return all;
}

/** The styles of cells that show a number as a date. */
function datesOf(xml: string): Set<number> {
  const own = new Map<number, boolean>();
  for (const [, said] of xml.matchAll(/<numFmt\b([^>]{0,1000})>/g)) {
    // What stands in quotes or behind a sign that says so is shown as it is; hours in brackets are a span of time, and no moment.
    const code = plain(attribute(said!, 'formatCode') ?? '').replace(/"[^"]*"|[\\_*]./g, '');
    own.set(Number(attribute(said!, 'numFmtId')), /[ymdhs]/i.test(code.replace(/\[[^\]]*\]/g, '')) && !/\[[hms]+\]/i.test(code));
  }
  const dates = new Set<number>();
  let at = 0;
  // By two cuts: a pattern that looks for the end from each beginning takes hours for a file of beginnings.
  const cells = xml.split('<cellXfs', 2)[1]?.split('</cellXfs>', 1)[0] ?? '';
  for (const [, said] of cells.matchAll(/<xf\b([^>]{0,1000})>/g)) {
    const format = Number(attribute(said!, 'numFmtId'));
    if (own.get(format) ?? DATES.some(([from, to]) => format >= from && format <= to)) dates.add(at);
    at++;
  }
  return dates;
}

/** A serial number as a date, a time, or both (§18.17.4); `null` for what is none. */
function dated(serial: number, is1904: boolean): string | null {
  if (!(serial >= 0 && serial < 2_958_466)) return null;
  // 1900 has a 29th of February there.
  const days = is1904 ? serial + 1_462 : serial < 60 ? serial + 1 : serial;
  const [date, time] = new Date(Math.round((days - 25_569) * 86_400) * 1_000).toISOString().split('T') as [string, string];
  const clock = time.slice(0, time.startsWith(':00', 5) ? 5 : 8);
  if (serial < 1) return clock;
  return Number.isInteger(serial) ? date : `${date} ${clock}`;
}
