// The parts of a document of an office (ECMA-376): a zip of XML.

/** Bytes that what is read of a zip may grow to. */
const GROWN = 16_000_000;
/** Parts that are read of one. */
const MOST = 2_000;

const ENTITIES: Record<string, string> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };
/** A text of XML without its references. */
export const plain = (text: string) => text.replace(/&(?:#x([0-9a-f]{1,6})|#(\d{1,7})|(\w+));/gi, (whole, hex?: string, digits?: string, name?: string) => {
  const code = hex ? parseInt(hex, 16) : Number(digits);
  return name ? (ENTITIES[name] ?? whole) : code <= 0x10ffff ? String.fromCodePoint(code) : '';
});

/** Parts with such names, by their numbers. */
export const inOrder = (parts: Map<string, string>, named: RegExp) => [...parts].filter(([name]) => named.test(name)).toSorted(([a], [b]) => number(a) - number(b)).map(([, xml]) => xml);
const number = (name: string) => Number(/(\d+)\.xml$/.exec(name)?.[1] ?? 0);

/** The parts of a zip with such a name, by its directory (APPNOTE 4.3.12). */
export async function unzipped(bytes: ArrayBuffer, wanted: RegExp): Promise<Map<string, string>> {
  const view = new DataView(bytes);
  let end = bytes.byteLength - 22;
  while (end > 0 && view.getUint32(end, true) !== 0x06054b50) end--;
  const all = new Map<string, string>();
  let [room, read] = [GROWN, 0];
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
      if (room <= 0 || ++read >= MOST) break;
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
