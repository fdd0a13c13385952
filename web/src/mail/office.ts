// What stands in a file, as text, without a library: plain text, and the documents of Word, Excel and PowerPoint (ECMA-376), which are zips of XML.
import { decoded } from '../contacts/vcard';
import { inOrder, plain, unzipped } from './parts';
import { sheets } from './sheet';

/** Bytes of a file that is looked into, and characters of text that are shown. */
export const LARGEST = 20_000_000;
const SHOWN = 400_000;

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
  const parts = await unzipped(bytes, /^(word\/document|xl\/(?:workbook|styles|sharedStrings)|xl\/worksheets\/sheet\d+|ppt\/slides\/slide\d+)\.xml$/).catch(() => null);
  if (!parts || parts.size === 0) return null;
  const text = kind === 'xlsx' ? sheets(parts, SHOWN) : paragraphs(inOrder(parts, /^(word|ppt)\//), kind === 'docx' ? 'w' : 'a');
  return text.trim() === '' ? null : cut(text);
}

/** The runs of text of each paragraph, as far as they are shown. A tab with attributes is a place where tabs end, and no text. */
function paragraphs(parts: string[], space: 'w' | 'a'): string {
  const found = new RegExp(`<${space}:t(?: [^>]{0,500})?>([^<]*)<|<(/)${space}:p>|<${space}:(tab(?= ?/)|br|cr)[ />]`, 'g');
  let text = '';
  for (const xml of parts) {
    for (const [, run, ends, other] of xml.matchAll(found)) {
      text += run !== undefined ? plain(run) : ends || other !== 'tab' ? '\n' : '\t';
      if (text.length > SHOWN) return text;
    }
    text = `${text.trimEnd()}\n\n`;
  }
  return text.trim();
}
