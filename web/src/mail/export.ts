// Files that the browser is given to save: letters as they are, several as an mbox (RFC 4155) or in a zip.
import { downloadUrl } from '../jmap/blob';
import type { Client } from '../jmap/client';
import type { Head } from '../jmap/email';

/** Bytes of all letters that one file takes, and how many are fetched at once. */
export const MOST_BYTES = 200_000_000;
const AT_ONCE = 4;

/** Gives the browser something to save. */
export function saveFile(name: string, type: string, content: BlobPart): void {
  const url = URL.createObjectURL(new Blob([content], { type }));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

/** A subject as a name of a file: what no system takes goes. */
export const fileName = (subject: string | null, end: string) =>
  `${(subject ?? '').replace(/[\\/:*?"<>|\p{Cc}]+/gu, ' ').replace(/^[.\s]+|\s+$/g, '').slice(0, 100) || 'message'}${end}`;

/** The letters themselves, in order. */
async function bodies(client: Client, heads: Head[], progress: (done: number) => void, signal: AbortSignal): Promise<Uint8Array<ArrayBuffer>[]> {
  const all: Uint8Array<ArrayBuffer>[] = [];
  for (let at = 0; at < heads.length; at += AT_ONCE) {
    signal.throwIfAborted();
    const piece = heads.slice(at, at + AT_ONCE).map(async ({ blobId }) => new Uint8Array(await (await client.fetch(downloadUrl(client, blobId, 'message.eml', 'message/rfc822'), { signal })).arrayBuffer()));
    all.push(...(await Promise.all(piece)));
    progress(Math.min(1, (at + AT_ONCE) / heads.length));
  }
  return all;
}

const ascii = new TextEncoder();
const LF = 10;

/** One letter in an mbox: its line of a sender and a date, lines that look like that marked (mboxrd), ends of lines as LF. */
export function mboxEntry(head: Pick<Head, 'from' | 'receivedAt'>, raw: Uint8Array): Uint8Array<ArrayBuffer> {
  const when = new Date(head.receivedAt).toUTCString().replace(/^(\w+), (\d+) (\w+) (\d+) ([\d:]+) GMT$/, (_, day: string, date: string, month: string, year: string, time: string) => `${day} ${month} ${String(Number(date)).padStart(2)} ${time} ${year}`);
  const top = ascii.encode(`From ${(head.from?.[0]?.email ?? 'MAILER-DAEMON').replace(/\s/g, '')} ${when}\n`);
  const out = new Uint8Array(top.length + raw.length * 2 + 2);
  out.set(top);
  let to = top.length;
  let isStart = true;
  for (let at = 0; at < raw.length; at++) {
    if (isStart) {
      let from = at;
      while (raw[from] === 62) from++;
      if (raw[from] === 70 && raw[from + 1] === 114 && raw[from + 2] === 111 && raw[from + 3] === 109 && raw[from + 4] === 32) out[to++] = 62;
    }
    if (raw[at] === 13 && raw[at + 1] === LF) {
      isStart = false;
      continue;
    }
    out[to++] = raw[at]!;
    isStart = raw[at] === LF;
  }
  if (out[to - 1] !== LF) out[to++] = LF;
  out[to++] = LF;
  return out.slice(0, to);
}

const TABLE = Uint32Array.from({ length: 256 }, (_, at) => {
  let value = at;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value >>> 0;
});

function crc(bytes: Uint8Array): number {
  let sum = 0xffffffff;
  for (const byte of bytes) sum = TABLE[(sum ^ byte) & 0xff]! ^ (sum >>> 8);
  return (sum ^ 0xffffffff) >>> 0;
}

/** A zip of files as they are, not compressed; names in UTF-8. */
export function zip(files: { name: string; bytes: Uint8Array<ArrayBuffer>; at: Date }[]): Blob {
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  const central: Uint8Array<ArrayBuffer>[] = [];
  let offset = 0;
  for (const { name, bytes, at } of files) {
    const title = ascii.encode(name);
    const time = (at.getHours() << 11) | (at.getMinutes() << 5) | (at.getSeconds() >> 1);
    const day = ((Math.max(1980, at.getFullYear()) - 1980) << 9) | ((at.getMonth() + 1) << 5) | at.getDate();
    const common = new DataView(new ArrayBuffer(26));
    common.setUint16(0, 20, true);
    common.setUint16(2, 0x0800, true);
    common.setUint16(6, time, true);
    common.setUint16(8, day, true);
    common.setUint32(10, crc(bytes), true);
    common.setUint32(14, bytes.length, true);
    common.setUint32(18, bytes.length, true);
    common.setUint16(22, title.length, true);
    const local = new Uint8Array(30 + title.length);
    local.set([0x50, 0x4b, 3, 4]);
    local.set(new Uint8Array(common.buffer), 4);
    local.set(title, 30);
    const entry = new Uint8Array(46 + title.length);
    entry.set([0x50, 0x4b, 1, 2, 20, 0]);
    entry.set(new Uint8Array(common.buffer), 6);
    new DataView(entry.buffer).setUint32(42, offset, true);
    entry.set(title, 46);
    central.push(entry);
    pieces.push(local, bytes);
    offset += local.length + bytes.length;
  }
  const size = central.reduce((sum, { length }) => sum + length, 0);
  const end = new DataView(new ArrayBuffer(22));
  end.setUint32(0, 0x06054b50, true);
  end.setUint16(8, files.length, true);
  end.setUint16(10, files.length, true);
  end.setUint32(12, size, true);
  end.setUint32(16, offset, true);
  return new Blob([...pieces, ...central, new Uint8Array(end.buffer)], { type: 'application/zip' });
}

/** Saves letters: one as `.eml`, several in a zip, or all in an mbox. */
export async function exportLetters(client: Client, heads: Head[], kind: 'zip' | 'mbox', progress: (done: number) => void, signal: AbortSignal): Promise<void> {
  const all = await bodies(client, heads, progress, signal);
  if (kind === 'mbox') return saveFile(fileName(heads.length === 1 ? heads[0]!.subject : 'mail', '.mbox'), 'application/mbox', new Blob(all.map((raw, at) => mboxEntry(heads[at]!, raw))));
  const seen = new Map<string, number>();
  const files = all.map((bytes, at) => {
    const name = fileName(heads[at]!.subject, '');
    const count = (seen.get(name) ?? 0) + 1;
    seen.set(name, count);
    return { name: `${name}${count > 1 ? ` (${count})` : ''}.eml`, bytes, at: new Date(heads[at]!.receivedAt) };
  });
  saveFile('mail.zip', 'application/zip', zip(files));
}
