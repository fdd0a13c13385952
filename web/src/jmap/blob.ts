// Uploading and downloading (RFC 8620 §6).
import type { Client } from './client';
import { JmapError, Offline } from './client';
import { filled } from './session';
import type { Id } from './session';

export interface Uploaded {
  blobId: Id;
  type: string;
  size: number;
}

/** Uploads with progress (0 to 1). Aborting rejects with `AbortError`. */
export function upload(client: Client, data: Blob, progress: (done: number) => void, signal: AbortSignal): Promise<Uploaded> {
  return new Promise((done, failed) => {
    const request = new XMLHttpRequest();
    request.open('POST', filled(client.session.uploadUrl, { accountId: client.account }));
    request.setRequestHeader('Content-Type', data.type || 'application/octet-stream');
    request.responseType = 'json';
    request.upload.onprogress = (event) => event.lengthComputable && progress(event.loaded / event.total);
    request.onerror = () => failed(new Offline());
    request.onabort = () => failed(new DOMException('', 'AbortError'));
    request.onload = () => {
      if (request.status === 200 || request.status === 201) done(request.response as Uploaded);
      else failed(new JmapError(String(request.response?.type ?? 'refused'), String(request.response?.detail ?? ''), request.status));
    };
    signal.addEventListener('abort', () => request.abort());
    request.send(data);
  });
}

/** Where a blob is downloaded from. */
export const downloadUrl = (client: Client, blobId: Id, name: string, type: string) =>
  filled(client.session.downloadUrl, { accountId: client.account, blobId, name: name || 'download', type });

/** The content of a part as text with line feeds, by its charset; UTF-8 where no browser knows that. */
export function decoded(bytes: ArrayBuffer, charset: string | null | undefined): string {
  const by = (label: string) => new TextDecoder(label).decode(bytes).replace(/\r\n/g, '\n');
  try {
    return by(charset || 'utf-8');
  } catch {
    return by('utf-8');
  }
}

/** A blob's content as this type. */
export async function download(client: Client, blobId: Id, type: string): Promise<Blob> {
  const response = await client.fetch(downloadUrl(client, blobId, 'blob', type));
  return new Blob([await response.arrayBuffer()], { type });
}
