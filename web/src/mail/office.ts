// What stands in a file, as text, without a library: plain text, and the documents of Word, Excel and PowerPoint (ECMA-376), which are zips of XML.
import { decoded } from '../contacts/vcard';

/** Bytes of a file that is looked into, characters of text that are shown, and bytes that what is read of a zip may grow to. */
export const LARGEST = 20_000_000;
const SHOWN = 400_000;
const GROWN = 16_000_000;

const TEXT = /^(text\/(?!html)|application\/(json|xml|x-sh|javascript|sql|yaml|toml)$)/i;
const ENDS = /\.(txt|csv|tsv|log|md|json|xml|ya?ml|toml|ini|conf|sh|py|js|ts|c|h|cpp|java|rs|go|sql|ics|vcf|diff|patch|srt)$/i;
const ZIPPED = /\.(docx|xlsx|pptx)$/i;

/** Whether there may be text to show. */
export const isText = (name: string, type: string): boolean => ZIPPED.test(name) || ENDS.test(name) || TEXT.test(type);

const cut = (text: string) => (text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text);

/** The text of a file, cut where it is long; `null` where it is not what its name says, or has none. */
export async function textOf(name: string, bytes: ArrayBuffer): Promise<string | null> {
  const kind = ZIPPED.exec(name)?.[1]?.toLowerCase();
  if (!kind) return cut(decoded(bytes));
  const parts = await unzipped(bytes, /^(word\/document|xl\/sharedStrings|xl\/worksheets\/sheet\d+|ppt\/slides\/slide\d+)\.xml$/).catch(() => null);
  if (!parts || parts.size === 0) return null;
  const text = kind === 'xlsx' ? sheets(parts) : [...parts].toSorted(([a], [b]) => number(a) - number(b)).map(([, xml]) => paragraphs(xml, kind === 'docx' ? 'w' : 'a')).join('\n\n');
  return text.trim() === '' ? null : cut(text);
}

const number = (name: string) => Number(/(\d+)\.xml$/.exec(name)?.[1] ?? 0);
const ENTITIES: Record<string, string> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };
const plain = (text: string) => text.replace(/&(?:#x([0-9a-f]{1,6})|#(\d{1,7})|(\w+));/gi, (whole, hex?: string, digits?: string, name?: string) => {
  const code = hex ? parseInt(hex, 16) : Number(digits);
  return name ? (ENTITIES[name] ?? whole) : code <= 0x10ffff ? String.fromCodePoint(code) : '';
});

/** The runs of text of each paragraph. A tab with attributes is a place where tabs end, and no text. */
const paragraphs = (xml: string, space: 'w' | 'a') =>
  xml.split(`</${space}:p>`).map((one) => [...one.matchAll(new RegExp(`<${space}:t(?: [^>]{0,500})?>([^<]*)<|<${space}:(tab(?= ?/)|br|cr)[ />]`, 'g'))].map(([, text, other]) => (other ? (other === 'tab' ? '\t' : '\n') : plain(text!))).join('')).join('\n').trim();

/** Cells of each sheet, a tab between them, as far as they are shown: many cells may have one long text. */
function sheets(parts: Map<string, string>): string {
  const shared = (parts.get('xl/sharedStrings.xml') ?? '').split('</si>').map((one) => [...one.matchAll(/<t(?: [^>]{0,500})?>([^<]*)</g)].map(([, text]) => plain(text!)).join(''));
  const cell = (attributes: string, inside: string) => {
    const value = plain(/<v>([^<]*)</.exec(inside)?.[1] ?? /<t(?: [^>]{0,500})?>([^<]*)</.exec(inside)?.[1] ?? '');
    return /\bt="s"/.test(attributes) ? (shared[Number(value)] ?? '') : value;
  };
  /** Empty ones, and at most one with something in it. */
  const cells = (piece: string) => [...piece.matchAll(/<c\b([^>]{0,500})>/g)].map(({ 1: attributes, index }, at, all) => (at < all.length - 1 || attributes!.endsWith('/') ? '' : cell(attributes!, piece.slice(index))));
  let text = '';
  for (const [, xml] of [...parts].filter(([name]) => name.startsWith('xl/worksheets/')).toSorted(([a], [b]) => number(a) - number(b))) {
    for (const row of xml.split('</row>').slice(0, -1)) {
      for (const [at, value] of row.split('</c>').flatMap(cells).entries()) {
        text += at > 0 ? `\t${value}` : value;
        if (text.length > SHOWN) return text;
      }
      text += '\n';
    }
    text += '\n';
  }
  return text.trimEnd();
}

/** The parts of a zip with such a name, by its directory (APPNOTE 4.3.12). */
async function unzipped(bytes: ArrayBuffer, wanted: RegExp): Promise<Map<string, string>> {
  const view = new DataView(bytes);
  let end = bytes.byteLength - 22;
  while (end > 0 && view.getUint32(end, true) !== 0x06054b50) end--;
  const all = new Map<string, string>();
  let room = GROWN;
  for (let at = view.getUint32(end + 16, true), left = view.getUint16(end + 10, true); left > 0; left--) {
    if (view.getUint32(at, true) !== 0x02014b50) break;
    const [method, size, named] = [view.getUint16(at + 10, true), view.getUint32(at + 20, true), view.getUint16(at + 28, true)];
    const name = new TextDecoder().decode(new Uint8Array(bytes, at + 46, named));
    if (wanted.test(name)) {
      const local = view.getUint32(at + 42, true);
      const start = local + 30 + view.getUint16(local + 26, true) + view.getUint16(local + 28, true);
      const text = await grown(new Uint8Array(bytes, start, size), method, room);
      all.set(name, text);
      // A part that grows to nothing costs too, however often it is named.
      room -= Math.max(text.length, size);
      if (room <= 0) break;
    }
    at += 46 + named + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
  }
  return all;
}

/** A part as text, as far as there is room. */
async function grown(part: Uint8Array<ArrayBuffer>, method: number, room: number): Promise<string> {
  if (method === 0) return new TextDecoder().decode(part.subarray(0, room));
  const reader = new Blob([part]).stream().pipeThrough(new DecompressionStream('deflate-raw')).getReader();
  const decoder = new TextDecoder();
  let text = '';
  for (let size = 0; size < room; ) {
    const { done, value } = await reader.read();
    if (done) return text;
    size += value.length;
    text += decoder.decode(value, { stream: true });
  }
  await reader.cancel();
  return text;
}
