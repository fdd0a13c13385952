// What `/auth` keeps of somebody: asked for and changed, with the password once more where that matters.
import { ask } from '../app/dialogs.svelte';
import { words } from '../app/prefs.svelte';
import { trouble } from '../app/toasts.svelte';
import { JmapError } from '../jmap/client';
import { sealed } from '../login/seal';
import { app } from '../webmail/webmail.svelte';

/** A passkey, as its owner sees it. */
export interface Passkey {
  id: string;
  name: string;
  created: string;
  used: string | null;
}

export async function read<T>(path: string): Promise<T> {
  return (await (await app.client.fetch(path)).json()) as T;
}

/** Sends, and answers what came back; `null` where it was refused, which is told. The key of the seal changes: it is tried twice. */
export async function send<T>(method: 'POST' | 'DELETE', path: string, body?: () => Promise<object>): Promise<T | null> {
  for (let tries = 0; ; tries++) {
    try {
      const sent = body ? { headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(await body()) } : {};
      const response = await app.client.fetch(path, { method, ...sent });
      return response.status === 204 ? ({} as T) : ((await response.json()) as T);
    } catch (error) {
      if (error instanceof JmapError && error.status === 409 && tries === 0) continue;
      // What the server says of a password or a code is in the reader's language.
      trouble(error instanceof JmapError && [400, 403].includes(error.status) && error.description ? error.description : words().notDone(app.mail.reason(error)));
      return null;
    }
  }
}

/** As `send`, after the password was asked for. */
export async function confirmedSend<T>(path: string, title: string, more: object = {}): Promise<T | null> {
  const w = words();
  const password = await ask({ title, text: w.passwordAgain, yes: w.goOn, field: { label: w.password, value: '', secret: true } });
  return password ? send<T>('POST', path, async () => ({ ...more, ...(await sealed('password', password)) })) : null;
}
